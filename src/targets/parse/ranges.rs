//! What stands between brackets: `1-9/2,07`.

use std::ops::Range;

use super::Parser;
use crate::targets::error::{ErrorKind, TargetError};
use crate::targets::grid::Grid;
use crate::targets::index::{Index, MAX_DIGITS, Span, power_of_ten, unpadded_spans};

impl<'a> Parser<'a> {
    /// The numbers of a bracket, each with the digits `lead` before and `tail` after it.
    pub(super) fn ranges(
        &self,
        at: Range<usize>,
        lead: &str,
        tail: &str,
    ) -> Result<Grid, TargetError> {
        let mut spans = Vec::new();
        let mut single_steps: u64 = 0;
        let mut start = at.start;
        for part in self.text[at].split(',') {
            let whole = start..start + part.len();
            start = whole.end + 1;
            if part.trim().is_empty() {
                // Nothing to mark but the brackets or commas round it.
                return Err(self.error(whole.start - 1..whole.end + 1, ErrorKind::EmptyRange));
            }
            let first = whole.end - part.trim_start().len();
            let here = first..first + part.trim().len();
            let range = self.range(here.clone())?;
            let longest = usize::from(range.widest()) + lead.len() + tail.len();
            if longest > MAX_DIGITS {
                return Err(self.error(here, ErrorKind::TooManyDigits));
            }
            let count = range.len();
            if range.step > 1 || !tail.is_empty() {
                single_steps = single_steps.saturating_add(count);
            }
            let count = count.max(single_steps);
            if count > self.limit as u64 {
                return Err(self.error(
                    here,
                    ErrorKind::TooManyHosts {
                        count,
                        limit: self.limit,
                    },
                ));
            }
            range.add_to(lead, tail, &mut spans);
        }
        Ok(Grid::line(spans))
    }

    /// One range, not empty, without blanks round it.
    fn range(&self, at: Range<usize>) -> Result<NumberRange, TargetError> {
        let text = &self.text[at.clone()];
        let error = |kind| self.error(at.clone(), kind);
        if text.starts_with('-') {
            return Err(error(ErrorKind::NegativeRange));
        }
        let (bounds, step) = text
            .split_once('/')
            .map_or((text, None), |(bounds, step)| (bounds, Some(step)));
        let step = step
            .map(|step| self.number(step))
            .transpose()?
            .map(|step| step.value);
        if step == Some(0) {
            return Err(error(ErrorKind::ZeroStep));
        }
        let step = step.unwrap_or(1);
        let Some((first, last)) = bounds.split_once('-') else {
            let only = self.number(bounds)?;
            return if step == 1 {
                Ok(NumberRange {
                    first: only,
                    last: only,
                    step,
                })
            } else {
                Err(error(ErrorKind::StepWithoutRange))
            };
        };
        if last.trim_start().starts_with('-') {
            return Err(error(ErrorKind::NegativeRange));
        }
        let (first, last) = (self.number(first)?, self.number(last)?);
        if first.width != last.width && (first.is_padded() || last.is_padded()) {
            let hint = format!(
                "write {:0width$}-{}",
                first.value,
                last.value,
                width = usize::from(last.width)
            );
            let hint = (first.value <= last.value && first.is_padded() && last.width > first.width)
                .then_some(hint);
            return Err(TargetError {
                hint,
                ..error(ErrorKind::PaddingMismatch)
            });
        }
        if first.value > last.value {
            return Err(error(ErrorKind::ReversedRange));
        }
        Ok(NumberRange { first, last, step })
    }

    /// A number that is a part of the expression's own text, blanks round it allowed.
    fn number(&self, part: &'a str) -> Result<Index, TargetError> {
        let digits = part.trim();
        Index::from_digits(digits).ok_or_else(|| {
            let start = digits.as_ptr() as usize - self.text.as_ptr() as usize;
            let at = start..start + digits.len();
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
                self.error(at, ErrorKind::TooManyDigits)
            } else {
                self.error(
                    at,
                    ErrorKind::NotANumber {
                        text: digits.to_owned(),
                    },
                )
            }
        })
    }
}

/// `first-last/step`, valid: padded on both sides to one width or on neither.
#[derive(Clone, Copy)]
struct NumberRange {
    first: Index,
    last: Index,
    step: u64,
}

impl NumberRange {
    fn len(self) -> u64 {
        (self.last.value - self.first.value) / self.step + 1
    }

    fn widest(self) -> u8 {
        self.last.width
    }

    fn add_to(self, lead: &str, tail: &str, spans: &mut Vec<Span>) {
        let lead_value = Index::from_digits(lead).map_or(0, |lead| lead.value);
        let tail_value = Index::from_digits(tail).map_or(0, |tail| tail.value);
        let (lead_width, tail_width) = (lead.len() as u8, tail.len() as u8);
        let join = |width: u8, value: u64| {
            (lead_value * power_of_ten(width) + value) * power_of_ten(tail_width) + tail_value
        };
        let mut add = |span: Span| {
            let width = lead_width + span.width + tail_width;
            if tail_width == 0 {
                spans.push(Span {
                    width,
                    lo: join(span.width, span.lo),
                    hi: join(span.width, span.hi),
                });
            } else {
                for value in span.lo..=span.hi {
                    spans.push(Span::one(Index {
                        width,
                        value: join(span.width, value),
                    }));
                }
            }
        };
        let (lo, hi) = (self.first.value, self.last.value);
        // Of one width, padded or not: one run. Otherwise unpadded, and each width is a run.
        let one_width = (self.first.width == self.last.width).then_some(self.first.width);
        let mut add_run = |lo: u64, hi: u64| match one_width {
            Some(width) => add(Span { width, lo, hi }),
            None => unpadded_spans(lo, hi).for_each(&mut add),
        };
        if self.step == 1 {
            add_run(lo, hi);
        } else {
            let steps = (hi - lo) / self.step;
            (0..=steps)
                .map(|n| lo + n * self.step)
                .for_each(|value| add_run(value, value));
        }
    }
}
