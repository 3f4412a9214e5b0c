//! JSON pointers (RFC 6901) and the path style of Pictory's `fields[]`.

/// The pointer of a member under `parent`.
pub(crate) fn child(parent: &str, name: &str) -> String {
    let mut pointer = String::with_capacity(parent.len() + name.len() + 1);
    pointer.push_str(parent);
    pointer.push('/');
    for c in name.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            _ => pointer.push(c),
        }
    }
    pointer
}

/// A JSON pointer in the path style of Pictory's errors: `/scenes/0/backgroundUri` is `scenes[0].backgroundUri`.
/// The whole request is `body`.
pub fn json_path(pointer: &str) -> String {
    let mut path = String::with_capacity(pointer.len());
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()) {
            path.push('[');
            path.push_str(&token);
            path.push(']');
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&token);
        }
    }
    if path.is_empty() { "body".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_clients_know_them() {
        assert_eq!(json_path("/scenes/0/backgroundUri"), "scenes[0].backgroundUri");
        assert_eq!(
            json_path("/scenes/12/backgroundVideoSegments/1/end"),
            "scenes[12].backgroundVideoSegments[1].end"
        );
        assert_eq!(json_path(""), "body");
        assert_eq!(json_path(&child("/audio", "a/b~c")), "audio.a/b~c");
    }
}
