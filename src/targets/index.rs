//! One number in a host name, and runs of such numbers.
//!
//! A number is its digits: `7`, `07` and `007` are three different numbers. Ordering by width and then by
//! value is the order in which ClusterShell expands (shorter first), and makes a run of numbers of one
//! width an interval.

use std::fmt::Write as _;

/// The longest run of digits that counts as a number; a longer one is text like any other. 10^18 fits a `u64`.
pub(super) const MAX_DIGITS: usize = 18;

/// A number as written: how many digits, and their value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Index {
    pub(super) width: u8,
    pub(super) value: u64,
}

impl Index {
    /// The number `digits` spells; `None` where it is empty, too long, or not all ASCII digits.
    pub(super) fn from_digits(digits: &str) -> Option<Self> {
        if digits.is_empty() || digits.len() > MAX_DIGITS {
            return None;
        }
        let mut value = 0;
        for byte in digits.bytes() {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value * 10 + u64::from(byte - b'0');
        }
        let width = digits.len() as u8;
        Some(Self { width, value })
    }

    /// Whether it has leading zeros: `07`, `00`, but not `0`.
    pub(super) fn is_padded(self) -> bool {
        self.width > 1 && self.value < power_of_ten(self.width - 1)
    }

    pub(super) fn write_to(self, out: &mut String) {
        let width = usize::from(self.width);
        write!(out, "{:0width$}", self.value).expect("writing to a String cannot fail");
    }
}

/// The numbers from `lo` to `hi`, both included, all written with `width` digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) width: u8,
    pub(super) lo: u64,
    pub(super) hi: u64,
}

impl Span {
    pub(super) fn one(index: Index) -> Self {
        Self {
            width: index.width,
            lo: index.value,
            hi: index.value,
        }
    }

    pub(super) fn first(self) -> Index {
        Index {
            width: self.width,
            value: self.lo,
        }
    }

    pub(super) fn last(self) -> Index {
        Index {
            width: self.width,
            value: self.hi,
        }
    }

    pub(super) fn len(self) -> usize {
        usize::try_from(self.hi - self.lo).map_or(usize::MAX, |n| n.saturating_add(1))
    }
}

/// 10^`exponent`, for `exponent` up to [`MAX_DIGITS`].
pub(super) fn power_of_ten(exponent: u8) -> u64 {
    10_u64.pow(u32::from(exponent))
}

/// How many digits `value` has without padding.
pub(super) fn digits_of(value: u64) -> u8 {
    value.checked_ilog10().map_or(1, |log| log as u8 + 1)
}

/// The spans of the unpadded numbers `lo..=hi`: one for every width.
pub(super) fn unpadded_spans(lo: u64, hi: u64) -> impl Iterator<Item = Span> {
    (digits_of(lo)..=digits_of(hi)).map(move |width| {
        let least = if width == 1 {
            0
        } else {
            power_of_ten(width - 1)
        };
        Span {
            width,
            lo: lo.max(least),
            hi: hi.min(power_of_ten(width) - 1),
        }
    })
}
