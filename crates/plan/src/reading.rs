//! How long a text takes to read, aloud or silently.
//!
//! About 2.5 words a second; in scripts without spaces about 6 characters a second. A text that mixes both takes the
//! sum. Whole microseconds, so that no rounding depends on the machine.

use storyboard::script::is_unspaced;

/// Microseconds that a word takes.
const WORD_US: u64 = 400_000;
/// Characters a second of scripts without spaces.
const CHARACTERS_PER_SECOND: u64 = 6;
/// Least time for a scene with text.
pub(crate) const LEAST_US: u64 = 2_000_000;

/// Reading time in microseconds, without any least; 0 where there is nothing to read.
pub fn reading_time_us(text: &str) -> u64 {
    let mut words = 0_u64;
    let mut characters = 0_u64;
    for token in text.split_whitespace() {
        let unspaced = token.chars().filter(|c| is_unspaced(*c) && c.is_alphanumeric()).count() as u64;
        characters += unspaced;
        words += u64::from(token.chars().any(|c| c.is_alphanumeric() && !is_unspaced(c)));
    }
    if words == 0 && characters == 0 && !text.trim().is_empty() {
        // A row of symbols or emoji is looked at like a word.
        words = 1;
    }
    words * WORD_US + (characters * 1_000_000).div_ceil(CHARACTERS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_characters_take_time() {
        assert_eq!(reading_time_us("Hello world! Good morning!"), 1_600_000);
        assert_eq!(reading_time_us("  "), 0);
        assert_eq!(reading_time_us("— one, two —"), 800_000);
        assert_eq!(reading_time_us("こんにちは。"), 833_334);
        assert_eq!(reading_time_us("🎉🎉"), 400_000);
        assert_eq!(reading_time_us("iPhone を買った"), 400_000 + 666_667);
        assert_eq!(reading_time_us("안녕하세요 여러분"), 800_000);
    }
}
