//! "Did you mean": the known name nearest to an unknown one.

/// The candidate that takes the fewest single-character edits (insert, delete, replace, swap neighbours) to reach
/// from `name`, when that is at most a third of its length (at least one); the first of several.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().collect();
    let limit = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other: Vec<char> = candidate.chars().collect();
            let distance =
                (other.len().abs_diff(wanted.len()) <= limit).then(|| edits(&wanted, &other))?;
            (distance <= limit).then_some((distance, candidate))
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The restricted Damerau-Levenshtein distance.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let mut best = (last[j] + 1)
                .min(row[j - 1] + 1)
                .min(last[j - 1] + usize::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_is_close_or_none() {
        let known = ["web", "db", "frontend", "labels", "address"];
        let cases = [
            ("wbe", Some("web")),
            ("wep", Some("web")),
            ("fronted", Some("frontend")),
            ("adress", Some("address")),
            ("lables", Some("labels")),
            ("dbs", Some("db")),
            ("printer", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }
}
