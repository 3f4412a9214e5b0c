//! The nearest known name of a misspelt one.

/// The known name that is close enough to `name` to be meant, if any.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().take(41).map(|c| c.to_ascii_lowercase()).collect();
    if wanted.len() > 40 {
        return None;
    }
    let worst = (wanted.len() / 4).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| (distance(&wanted, candidate), candidate))
        .filter(|(distance, _)| *distance <= worst)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edit distance, letter case aside.
fn distance(wanted: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=candidate.len()).collect();
    for (i, a) in wanted.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in candidate.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[candidate.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_typos_and_nothing_else() {
        let known = ["backgroundUri", "backgroundType", "text", "minimumDuration"];
        assert_eq!(nearest("backgroundUrl", known), Some("backgroundUri"));
        assert_eq!(nearest("minimumduration", known), Some("minimumDuration"));
        assert_eq!(nearest("txet", known), None);
        assert_eq!(nearest("visualScale", known), None);
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
