//! Where output goes, and in which form.
//!
//! To a terminal, remote bytes are made harmless; to a pipe or a file they go as they came.  A sink remembers what it holds
//! back (the beginning of a line or of a character whose end has not come), so that it is never acknowledged as written.

mod held;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use super::follow::Takes;
use super::terminal::Terminal;
use crate::core::output::{Count, Stream};
use crate::view::count::{Noun, counted};
use crate::view::text::{harmless, harmless_json};
use crate::view::{json, span};
use crate::wire::reply::ChildView;
use crate::wire::request::Held;
use held::Beginning;

/// How output is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// `host: ` before each line.
    Prefix,
    /// A header whenever the host or the stream changes.
    Headers,
    /// As it came.
    Raw,
    /// A JSON record for each piece, one a line.
    Ndjson,
    /// One JSON document.
    Json,
}

/// Where it goes.
#[derive(Debug)]
pub(super) enum Target {
    /// Output of the commands' stdout to stdout, of their stderr to stderr.
    Standard,
    File(PathBuf, Existing),
    /// `JOB.HOST.out` and `JOB.HOST.err` in a directory.
    Directory(PathBuf, Existing),
}

/// What happens to a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// What is received goes behind what was received before.
    Append,
    /// A copy takes the place of an earlier copy.
    Replace,
}

/// Whether the beginning of a line waits for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Partial {
    Hold,
    Print,
}

/// A child, as its output is labelled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a> {
    pub(super) job: u64,
    pub(super) child: u64,
    pub(super) host: &'a str,
}

pub(super) struct Sink {
    layout: Layout,
    partial: Partial,
    terminal: Terminal,
    to: Open,
    /// What is held back of each child's streams.
    held: HashMap<(u64, Stream), Beginning>,
    /// What the last header was for.
    under: Option<(u64, Stream)>,
    /// The child whose title was the last that was written.
    titled: Option<u64>,
    /// Records written so far, for the commas of a document.
    records: u64,
}

/// An opened target.
enum Open {
    Standard {
        out: BufWriter<io::Stdout>,
        err: BufWriter<io::Stderr>,
    },
    File(BufWriter<File>),
    Directory {
        path: PathBuf,
        existing: Existing,
        files: HashMap<(u64, Stream), BufWriter<File>>,
    },
}

impl Takes for Sink {
    fn output(&mut self, origin: Origin<'_>, stream: Stream, data: &[u8]) -> io::Result<()> {
        match self.layout {
            Layout::Prefix => self.lines(origin, stream, data),
            Layout::Headers => {
                if self.under != Some((origin.child, stream)) {
                    self.header(origin, stream)?;
                }
                self.titled = None;
                self.bytes(origin, stream, data)
            }
            Layout::Raw => self.bytes(origin, stream, data),
            Layout::Ndjson | Layout::Json => self.characters(origin, stream, data),
        }
    }

    fn cut(&mut self, origin: Origin<'_>, dropped: Count) -> io::Result<()> {
        // What comes behind the cut is not the end of what came before it.
        self.let_go(origin.child)?;
        if matches!(self.layout, Layout::Ndjson | Layout::Json) {
            return self.record(&json::cut(origin.job, origin.child, origin.host, dropped));
        }
        // Not data, so it never goes where only data belongs.
        let text = format!(
            "{}: ... {} ({}) of output cut here ...\n",
            origin.host,
            span::bytes(dropped.bytes),
            counted(dropped.lines, Noun::Line)
        );
        io::stderr().write_all(text.as_bytes())
    }

    fn end(&mut self, child: &ChildView) -> io::Result<()> {
        self.let_go(child.id)?;
        match self.layout {
            Layout::Ndjson | Layout::Json => self.record(&json::end(child)),
            Layout::Prefix | Layout::Headers | Layout::Raw => Ok(()),
        }
    }

    fn checkpoint(&mut self) -> io::Result<Vec<Held>> {
        if self.partial == Partial::Print {
            self.let_go_of_all()?;
        }
        self.flush()?;
        let held = self.held.iter().map(|((child, stream), beginning)| Held {
            child: *child,
            stream: *stream,
            bytes: beginning.bytes.len() as u64,
        });
        Ok(held.collect())
    }

    fn resume(&mut self) {
        self.held.clear();
    }

    fn finish(&mut self) -> io::Result<()> {
        // A copy has no checkpoint.
        if self.partial == Partial::Print {
            self.let_go_of_all()?;
        }
        if self.layout == Layout::Json {
            let end: &[u8] = if self.records == 0 { b"[]\n" } else { b"\n]\n" };
            self.out(Stream::Out)?.write_all(end)?;
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            Open::Standard { out, err } => {
                out.flush()?;
                err.flush()
            }
            Open::File(file) => file.flush(),
            Open::Directory { files, .. } => files.values_mut().try_for_each(Write::flush),
        }
    }
}

impl Sink {
    pub(super) fn open(
        target: Target,
        layout: Layout,
        partial: Partial,
        terminal: Terminal,
    ) -> io::Result<Self> {
        let to = match target {
            Target::Standard => Open::Standard {
                out: BufWriter::new(io::stdout()),
                err: BufWriter::new(io::stderr()),
            },
            Target::File(path, existing) => Open::File(BufWriter::new(open_file(&path, existing)?)),
            Target::Directory(path, existing) => {
                std::fs::create_dir_all(&path).map_err(|error| at(&path, &error))?;
                Open::Directory {
                    path,
                    existing,
                    files: HashMap::new(),
                }
            }
        };
        let layout = if matches!(to, Open::Directory { .. }) {
            Layout::Raw
        } else {
            layout
        };
        Ok(Self {
            layout,
            partial,
            terminal,
            to,
            held: HashMap::new(),
            under: None,
            titled: None,
            records: 0,
        })
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    fn line(&mut self, host: &str, stream: Stream, line: &[u8]) -> io::Result<()> {
        let (terminal, colour) = (self.shows(stream), self.terminal.colour);
        let out = self.out(stream)?;
        if colour {
            write!(out, "{}{host}:\x1b[0m ", colour_of(host))?;
        } else {
            write!(out, "{host}: ")?;
        }
        if terminal {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            out.write_all(harmless(line).as_bytes())?;
        } else {
            out.write_all(line)?;
        }
        out.write_all(b"\n")
    }

    fn header(&mut self, origin: Origin<'_>, stream: Stream) -> io::Result<()> {
        let mark = if stream == Stream::Err {
            " (stderr)"
        } else {
            ""
        };
        let before = match (self.under.replace((origin.child, stream)), self.titled) {
            // What is said of a child belongs together.
            (_, Some(child)) if child == origin.child => "",
            (Some(_), _) => "\n",
            (None, _) => "",
        };
        let out = self.out(Stream::Out)?;
        writeln!(out, "{before}==> {}{mark} <==", origin.host)
    }

    /// A header of its own words, below which comes what a child wrote.
    pub(super) fn title(&mut self, child: u64, words: &str) -> io::Result<()> {
        let first = self.under.replace((child, Stream::Out)).is_none();
        self.titled = Some(child);
        let out = self.out(Stream::Out)?;
        writeln!(out, "{}==> {words} <==", if first { "" } else { "\n" })
    }

    /// A line of a comparison; its colour, where there are colours.
    pub(super) fn compared(&mut self, colour: &str, sign: &str, line: &[u8]) -> io::Result<()> {
        let (terminal, coloured) = (self.shows(Stream::Out), self.terminal.colour);
        let out = self.out(Stream::Out)?;
        let (begin, end) = if coloured && !colour.is_empty() {
            (colour, "\x1b[0m")
        } else {
            ("", "")
        };
        write!(out, "{begin}{sign}")?;
        if terminal {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            out.write_all(harmless(line).as_bytes())?;
        } else {
            out.write_all(line)?;
        }
        writeln!(out, "{end}")
    }

    /// Bytes as they came; harmless, if they would reach a terminal.
    fn bytes(&mut self, origin: Origin<'_>, stream: Stream, data: &[u8]) -> io::Result<()> {
        // Under headers both streams go one way, or the headers would say nothing.
        let way = if self.layout == Layout::Headers {
            Stream::Out
        } else {
            stream
        };
        if !self.shows(way) {
            if let Open::Directory { .. } = self.to {
                return self.file_of(origin, stream)?.write_all(data);
            }
            return self.out(way)?.write_all(data);
        }
        let out = self.out(way)?;
        for line in data.split_inclusive(|byte| *byte == b'\n') {
            let (body, end) = line
                .strip_suffix(b"\n")
                .map_or((line, ""), |body| (body, "\n"));
            write!(out, "{}{end}", harmless(body))?;
        }
        Ok(())
    }

    /// Whether output of this stream would be seen on a terminal.
    fn shows(&self, stream: Stream) -> bool {
        match (&self.to, stream) {
            (Open::Standard { .. }, Stream::Out) => self.terminal.out,
            (Open::Standard { .. }, Stream::Err) => self.terminal.err,
            (Open::File(_) | Open::Directory { .. }, _) => false,
        }
    }

    fn out(&mut self, stream: Stream) -> io::Result<&mut dyn Write> {
        match (&mut self.to, stream) {
            (Open::Standard { out, .. }, Stream::Out) => Ok(out),
            (Open::Standard { err, .. }, Stream::Err) => Ok(err),
            (Open::File(file), _) => Ok(file),
            (Open::Directory { .. }, _) => {
                Err(io::Error::other("a directory takes only output of hosts"))
            }
        }
    }

    fn file_of(&mut self, origin: Origin<'_>, stream: Stream) -> io::Result<&mut BufWriter<File>> {
        let Open::Directory {
            path,
            existing,
            files,
        } = &mut self.to
        else {
            return Err(io::Error::other("not a directory"));
        };
        match files.entry((origin.child, stream)) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(vacant) => {
                // A host's name is checked before a job is made of it; a slash would still be one too many here.
                let host = origin.host.replace('/', "_");
                let file = path.join(format!("{}.{host}.{}", origin.job, stream.word()));
                Ok(vacant.insert(BufWriter::new(open_file(&file, *existing)?)))
            }
        }
    }

    /// A record, where output is set in such.
    pub(super) fn record(&mut self, record: &serde_json::Value) -> io::Result<()> {
        self.records += 1;
        let before = match (self.layout, self.records) {
            (Layout::Json, 1) => "[\n",
            (Layout::Json, _) => ",\n",
            _ => "",
        };
        let after = if self.layout == Layout::Json {
            ""
        } else {
            "\n"
        };
        let record = if self.shows(Stream::Out) {
            harmless_json(&record.to_string())
        } else {
            record.to_string()
        };
        write!(self.out(Stream::Out)?, "{before}{record}{after}")
    }
}

fn open_file(path: &std::path::Path, existing: Existing) -> io::Result<File> {
    let opened = match existing {
        Existing::Append => File::options().append(true).create(true).open(path),
        Existing::Replace => File::create(path),
    };
    opened.map_err(|error| at(path, &error))
}

/// An error with the file it is about.
fn at(path: &std::path::Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A colour for a host: the same one each time, from those that are readable on light and dark.
fn colour_of(host: &str) -> &'static str {
    const COLOURS: [&str; 6] = [
        "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[36m",
    ];
    let sum = host.bytes().fold(0_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte))
    });
    COLOURS[sum % COLOURS.len()]
}
