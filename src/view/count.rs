//! Counts together with what is counted, so that nothing reads `1 lines`.

use super::span;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    Byte,
    Child,
    Computer,
    Connection,
    Entry,
    Event,
    Group,
    Field,
    Host,
    Job,
    Key,
    KindOfResult,
    Line,
    OlderEntry,
    OlderEvent,
    Query,
    Question,
    Row,
}

impl Noun {
    /// Of one, and of any other number.
    fn forms(self) -> (&'static str, &'static str) {
        match self {
            Self::Byte => ("byte", "bytes"),
            Self::Child => ("child", "children"),
            Self::Computer => ("computer", "computers"),
            Self::Connection => ("connection", "connections"),
            Self::Entry => ("entry", "entries"),
            Self::Event => ("event", "events"),
            Self::Group => ("group", "groups"),
            Self::Field => ("field", "fields"),
            Self::Host => ("host", "hosts"),
            Self::Job => ("job", "jobs"),
            Self::Key => ("key", "keys"),
            Self::KindOfResult => ("kind of result", "kinds of result"),
            Self::Line => ("line", "lines"),
            Self::OlderEntry => ("older entry", "older entries"),
            Self::OlderEvent => ("older event", "older events"),
            Self::Query => ("query", "queries"),
            Self::Question => ("question", "questions"),
            Self::Row => ("row", "rows"),
        }
    }

    /// The word that fits the count, without it.
    pub fn word(self, count: impl TryInto<u64>) -> &'static str {
        let (one, many) = self.forms();
        if number(count) == 1 { one } else { many }
    }
}

/// `1 line`, `12,304 lines`.
pub fn counted(count: impl TryInto<u64>, noun: Noun) -> String {
    let count = number(count);
    format!("{} {}", span::count(count), noun.word(count))
}

/// The word for what so many do: `is` or `are`, `has` or `have`.
pub fn agreeing(count: impl TryInto<u64>, one: &'static str, many: &'static str) -> &'static str {
    if number(count) == 1 { one } else { many }
}

fn number(count: impl TryInto<u64>) -> u64 {
    count.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_thing_is_no_plural() {
        assert_eq!(counted(0u32, Noun::Child), "0 children");
        assert_eq!(counted(1usize, Noun::Child), "1 child");
        assert_eq!(counted(12_304u64, Noun::Line), "12,304 lines");
        assert_eq!(Noun::Query.word(1u64), "query");
        assert_eq!(agreeing(2u32, "is", "are"), "are");
    }
}
