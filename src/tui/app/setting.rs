//! `set`: what holds for as long as this console is open, in place of what the settings say.

use super::App;
use crate::command::set::{Set, Switch};
use crate::core::alike::Ignored;
use crate::tui::event::{Mouse, Now};
use crate::tui::output::{Prefix, Settings, Wrap};
use crate::tui::view::Glyphs;
use crate::view::span::Zone;

impl App {
    pub(super) fn set(&mut self, option: Set) {
        match option {
            // These say themselves what they did.
            Set::Theme { name } => return self.take_theme(&name),
            Set::Mouse { switch } => {
                let wanted = match switch {
                    Switch::On => Mouse::Console,
                    Switch::Off => Mouse::Terminal,
                };
                if self.mouse != wanted {
                    return self.toggle_mouse();
                }
            }
            Set::Ascii { switch } => self.draw_with(match switch {
                Switch::On => Glyphs::ASCII,
                Switch::Off => Glyphs::BOXES,
            }),
            Set::Utc { switch } => self.set_zone(match switch {
                Switch::On => Zone::Utc,
                Switch::Off => Zone::Local,
            }),
            Set::Wrap { switch } => self.show_output(|settings| {
                settings.wrap = match switch {
                    Switch::On => Wrap::Wrapped,
                    Switch::Off => Wrap::Cut,
                };
            }),
            Set::Times { times } => self.show_output(|settings| settings.times = times),
            Set::Prefix { switch } => self.show_output(|settings| {
                settings.prefix = match switch {
                    Switch::On => Prefix::Shown,
                    Switch::Off => Prefix::Hidden,
                };
            }),
            Set::Ignore { what } => self.ignore(what.into_iter().collect()),
            Set::Notify { how } => self.loaded.settings.console.notify = how,
            Set::NotifyAfter { time } => self.loaded.settings.console.notify_after = time,
        }
        self.say("that holds as long as this console is open; config.toml keeps what it can");
    }

    /// The time of a turn, in the zone that was set.
    pub(super) fn take_time(&mut self, now: Now) {
        let zone = self.zone.unwrap_or(now.zone);
        self.now = Now { zone, ..now };
    }

    fn set_zone(&mut self, zone: Zone) {
        self.zone = Some(zone);
        self.now.zone = zone;
        for view in self.views() {
            view.set_zone(zone.time_zone());
        }
    }

    /// Output is shown in another way: what is open, and what will be.
    fn show_output(&mut self, change: impl Fn(&mut Settings)) {
        change(&mut self.output);
        for view in self.views() {
            view.set(&change);
        }
    }

    /// Children that came to the same are put together anew.
    fn ignore(&mut self, ignored: Ignored) {
        self.ignored = ignored;
        self.wants.fold_anew();
    }

    fn draw_with(&mut self, glyphs: Glyphs) {
        for page in &mut self.pages {
            page.crumbs = page.crumbs.replace(self.flags.glyphs.crumb, glyphs.crumb);
        }
        self.flags.glyphs = glyphs;
    }
}
