//! Moving about: in the list that is shown, from screen to screen, and back.

use super::{App, Pane, Zoom};
use crate::command::console::Screen;
use crate::tui::filter::Filter;

impl App {
    pub(super) fn step(&mut self, by: isize) {
        match self.screen {
            Screen::Jobs => self.tree.step(self.now, by),
            Screen::Hosts => self.hosts.step(by),
            Screen::Queries => self.queries.step(by),
            Screen::Events => self.events_list.step(by),
        }
    }

    pub(super) fn page(&self) -> isize {
        match self.screen {
            Screen::Jobs => self.tree.page(),
            Screen::Hosts => self.hosts.list.page(),
            Screen::Queries => self.queries.page(),
            Screen::Events => self.events_list.page(),
        }
    }

    pub(super) fn go(&mut self, index: usize) {
        match self.screen {
            Screen::Jobs => self.tree.go(self.now, index),
            Screen::Hosts => self.hosts.list.go(index),
            Screen::Queries => self.queries.go(index),
            Screen::Events => self.events_list.go(index),
        }
    }

    /// One step back; false if there was none left.
    pub(super) fn back(&mut self) -> bool {
        if let Some(page) = self.pages.pop() {
            self.page_goes(&page);
            return true;
        }
        if self.pane == Pane::Side {
            self.pane = Pane::List;
            return true;
        }
        if self.zoomed == Zoom::Yes {
            self.zoomed = Zoom::No;
            return true;
        }
        if self.unmark() {
            return true;
        }
        if self.unfilter() {
            return true;
        }
        if self.screen != Screen::Jobs {
            self.show(Screen::Jobs);
            return true;
        }
        false
    }

    fn unfilter(&mut self) -> bool {
        match self.screen {
            Screen::Jobs if self.tree.filter().is_set() => self.tree.set_filter(Filter::All),
            Screen::Hosts if self.hosts.list.filter.is_set() => {
                self.hosts.list.filter = Filter::All;
                self.hosts.arrange();
            }
            Screen::Jobs | Screen::Hosts | Screen::Queries | Screen::Events => return false,
        }
        true
    }

    pub(super) fn show(&mut self, screen: Screen) {
        for page in std::mem::take(&mut self.pages) {
            self.page_goes(&page);
        }
        self.pane = Pane::List;
        self.screen = screen;
    }

    pub(super) fn change_pane(&mut self) {
        self.pane = match self.pane {
            Pane::List if self.has_side() => Pane::Side,
            Pane::List | Pane::Side => Pane::List,
        };
    }
}
