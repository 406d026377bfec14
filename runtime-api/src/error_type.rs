//! Error types as telemetry and REPORT show them (lambda.md A6).

/// `(Runtime|Function)\.[A-Z][a-zA-Z]+` anywhere in the text keeps it as it is; else `Function.Unknown` for what
/// starts with `Function.`, and `Runtime.Unknown` for the rest.
pub fn normalise(given: &str) -> &str {
    if ["Runtime.", "Function."].iter().any(|prefix| names_a_reason(given, prefix)) {
        given
    } else if given.starts_with("Function.") {
        "Function.Unknown"
    } else {
        "Runtime.Unknown"
    }
}

fn names_a_reason(text: &str, prefix: &str) -> bool {
    text.match_indices(prefix).any(|(at, _)| {
        let reason = &text.as_bytes()[at + prefix.len()..];
        matches!(reason, [first, second, ..] if first.is_ascii_uppercase() && second.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn table() {
        let cases = [
            ("Runtime.ImportModuleError", "Runtime.ImportModuleError"),
            ("Function.ResponseSizeTooLarge", "Function.ResponseSizeTooLarge"),
            ("My.Runtime.Broken", "My.Runtime.Broken"),
            ("Runtime.X", "Runtime.Unknown"),
            ("Runtime.unknown", "Runtime.Unknown"),
            ("Function.lower", "Function.Unknown"),
            ("Function.", "Function.Unknown"),
            ("unhandled", "Runtime.Unknown"),
            ("Exception", "Runtime.Unknown"),
            ("", "Runtime.Unknown"),
        ];
        for (given, want) in cases {
            assert_eq!(normalise(given), want, "{given}");
        }
    }
}
