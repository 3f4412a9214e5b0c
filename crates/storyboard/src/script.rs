//! What this project needs to know about scripts: which are written without spaces between words.

/// Whether a character belongs to a script without spaces between words: Han, kana, Thai, Lao, Khmer, Burmese.
pub fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF      // Thai, Lao
        | 0x1000..=0x109F    // Myanmar
        | 0x1780..=0x17FF    // Khmer
        | 0x3005..=0x3007    // Han iteration mark, zero
        | 0x3040..=0x30FF    // kana
        | 0x31F0..=0x31FF    // small kana
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF // Han
        | 0xFF66..=0xFF9F    // half-width kana
        | 0x20000..=0x3134F) // Han, further planes
}

/// Whether a character is punctuation that stands close to such a script: full-width forms and brackets.
fn is_wide_punctuation(c: char) -> bool {
    matches!(u32::from(c), 0x3001..=0x3003 | 0x3008..=0x301F | 0xFF01..=0xFF0F | 0xFF1A..=0xFF20 | 0xFF5B..=0xFF65)
}

/// What stands between two lines when they become one: nothing in scripts without spaces, else a space.
pub fn joint(before: &str, after: &str) -> &'static str {
    let close = |c: char| is_unspaced(c) || is_wide_punctuation(c);
    match (before.chars().next_back(), after.chars().next()) {
        (Some(left), Some(right)) if close(left) && close(right) => "",
        (None, _) | (_, None) => "",
        _ => " ",
    }
}
