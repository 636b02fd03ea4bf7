//! A list with a cursor that stays on what it is on, for the screens that are no trees.

use super::filter::Filter;

/// Where one is in a list whose rows have keys.
#[derive(Clone, Debug)]
pub struct List<K> {
    keys: Vec<K>,
    cursor: Option<K>,
    index: usize,
    offset: usize,
    height: usize,
    pub filter: Filter,
}

impl<K> Default for List<K> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            cursor: None,
            index: 0,
            offset: 0,
            height: 0,
            filter: Filter::All,
        }
    }
}

impl<K: Clone + PartialEq> List<K> {
    /// Takes new rows over; the cursor stays on what it was on, or else where it was.
    pub fn set(&mut self, keys: Vec<K>) {
        self.keys = keys;
        let found = self
            .cursor
            .as_ref()
            .and_then(|cursor| self.keys.iter().position(|key| key == cursor));
        self.index = found.unwrap_or(self.index.min(self.keys.len().saturating_sub(1)));
        self.cursor = self.keys.get(self.index).cloned();
        self.scroll();
    }

    /// As [`List::set`]; what the cursor is on stays where it is on the screen, too, whatever comes above it.
    pub fn set_still(&mut self, keys: Vec<K>) {
        let line = self.index.saturating_sub(self.offset);
        self.set(keys);
        self.offset = self.index.saturating_sub(line);
        self.scroll();
    }

    /// Calls each row something else; the cursor stays.
    pub fn rename(&mut self, name: impl Fn(&K) -> K) {
        self.keys = self.keys.iter().map(&name).collect();
        self.cursor = self.cursor.as_ref().map(name);
    }

    pub fn set_height(&mut self, height: usize) {
        self.height = height;
        self.scroll();
    }

    pub fn step(&mut self, by: isize) {
        self.go(self.index.saturating_add_signed(by));
    }

    pub fn go(&mut self, index: usize) {
        self.index = index.min(self.keys.len().saturating_sub(1));
        self.cursor = self.keys.get(self.index).cloned();
        self.scroll();
    }

    pub fn cursor(&self) -> Option<&K> {
        self.cursor.as_ref()
    }

    /// The place of the cursor.
    pub fn index(&self) -> usize {
        self.index
    }

    /// All rows.
    pub fn keys(&self) -> &[K] {
        &self.keys
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The rows on the screen, and whether each is under the cursor.
    pub fn visible(&self) -> impl Iterator<Item = (&K, bool)> {
        let rows = self.keys.iter().enumerate();
        rows.skip(self.offset)
            .take(self.height)
            .map(|(n, key)| (key, n == self.index))
    }

    pub fn page(&self) -> isize {
        self.height.max(1) as isize
    }

    fn scroll(&mut self) {
        let height = self.height.max(1);
        if self.index < self.offset {
            self.offset = self.index;
        } else if self.index >= self.offset + height {
            self.offset = self.index + 1 - height;
        }
        self.offset = self.offset.min(self.keys.len().saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_on_what_it_is_on() {
        let mut list = List::default();
        list.set_height(2);
        list.set(vec!["b", "c", "d"]);
        list.step(1);
        list.set(vec!["a", "b", "c", "d"]);
        assert_eq!(list.cursor(), Some(&"c"));
        list.set(vec!["a", "b", "d"]);
        assert_eq!(list.cursor(), Some(&"d"), "what came into its place");
        list.set(vec![]);
        assert_eq!(list.cursor(), None);
        list.step(5);
        list.set(vec!["x"]);
        list.set_still(vec!["v", "w", "x", "y"]);
        assert_eq!(
            list.visible().collect::<Vec<_>>(),
            [(&"x", true), (&"y", false)]
        );
        list.set(vec!["x"]);
        assert_eq!(list.visible().collect::<Vec<_>>(), [(&"x", true)]);
    }
}
