//! How groups look: what stands above each, what one of its children wrote, and how others differ from that.

use std::io;

use super::super::differences::Majority;
use super::super::spool::Piece;
use super::{Gatherer, Output, Same};
use crate::cli::ends::Label;
use crate::cli::fold;
use crate::cli::follow::Takes as _;
use crate::cli::sink::{Layout, Origin};
use crate::core::alike::{Ignored, Reading};
use crate::view::json;

impl Gatherer {
    pub(super) fn print_group(&mut self, same: &Same) -> io::Result<()> {
        self.print_head(same)?;
        let Some(output) = same.output else {
            return Ok(());
        };
        let Self {
            spool,
            sink,
            children,
            ..
        } = self;
        let host = match sink.layout() {
            // A record names whose words they are.
            Layout::Ndjson | Layout::Json => &children[&output.child].host,
            Layout::Prefix | Layout::Headers | Layout::Raw => &same.group.hosts,
        };
        let origin = Origin {
            job: same.job,
            child: output.child,
            host,
        };
        spool.read(output.kept, |piece| match piece {
            Piece::Data(stream, data) => sink.output(origin, stream, data),
            Piece::Cut(dropped) => sink.cut(origin, dropped),
        })?;
        sink.let_go(origin.child)
    }

    fn print_head(&mut self, same: &Same) -> io::Result<()> {
        let child = same
            .output
            .map_or(same.group.children[0], |output| output.child);
        match self.sink.layout() {
            Layout::Ndjson | Layout::Json => {
                self.sink.record(&json::group_of(same.job, &same.group))
            }
            Layout::Prefix | Layout::Headers | Layout::Raw => {
                let mut words = fold::line(&same.group);
                if self.label == Label::JobAndHost {
                    words = format!("job {}  {words}", same.job);
                }
                // Where something is ignored, the others' words may be others.
                if self.wished.ignored != Ignored::NOTHING
                    && let Some(output) = same.output
                    && same.group.children != [output.child]
                {
                    let host = &self.children[&output.child].host;
                    words = format!("{words}  (as on {host})");
                }
                self.sink.title(child, &words)
            }
        }
    }

    /// The group most hosts are in that wrote something and have ended, in full, and how the others differ from that.
    pub(super) fn print_differences(&mut self, groups: &[Same]) -> io::Result<()> {
        let wrote = || groups.iter().filter(|same| same.output.is_some());
        let ended = |same: &&Same| same.group.state.is_final();
        let Some(majority) = wrote().find(ended).or_else(|| wrote().next()) else {
            return groups.iter().try_for_each(|same| self.print_head(same));
        };
        self.print_group(majority)?;
        let Some(output) = majority.output else {
            return Ok(());
        };
        let reading = self.reading(output);
        let compared = Majority::read(&mut self.spool, &majority.group.hosts, output, reading)?;
        for same in groups.iter().filter(|same| !std::ptr::eq(*same, majority)) {
            self.print_head(same)?;
            match same.output {
                None => {}
                Some(_) if same.sum == majority.sum && same.group.cut == majority.group.cut => {
                    compared.same(&mut self.sink)?;
                }
                Some(output) => {
                    let reading = self.reading(output);
                    let hosts = &same.group.hosts;
                    compared.compare(&mut self.spool, &mut self.sink, hosts, output, reading)?;
                }
            }
        }
        Ok(())
    }

    fn reading(&self, output: Output) -> Reading {
        Reading::new(self.wished.ignored, &self.children[&output.child].host)
    }
}
