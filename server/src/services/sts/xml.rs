//! Answers of the query protocol in XML.

/// The name space of all answers.
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// An element of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// With a text.
    Text(&'static str, String),
    /// With further elements.
    Parent(&'static str, Vec<Self>),
}

impl Element {
    fn write(&self, out: &mut String) {
        match self {
            Self::Text(name, text) => element(out, name, |out| escape(out, text)),
            Self::Parent(name, children) => {
                element(out, name, |out| children.iter().for_each(|child| child.write(out)));
            }
        }
    }
}

/// The answer of an action that succeeded. `action` must be a known name, because it is not escaped.
pub(super) fn response(action: &str, result: &[Element], request_id: &str) -> String {
    let mut out = format!("<{action}Response xmlns=\"{NAMESPACE}\">");
    element(&mut out, &format!("{action}Result"), |out| result.iter().for_each(|part| part.write(out)));
    element(&mut out, "ResponseMetadata", |out| element(out, "RequestId", |out| escape(out, request_id)));
    out.push_str(&format!("</{action}Response>"));
    out
}

/// The answer of a refusal.
pub(super) fn error(code: &str, message: &str, request_id: &str) -> String {
    let mut out = format!("<ErrorResponse xmlns=\"{NAMESPACE}\">");
    element(&mut out, "Error", |out| {
        for (name, text) in [("Type", "Sender"), ("Code", code), ("Message", message)] {
            element(out, name, |out| escape(out, text));
        }
    });
    element(&mut out, "RequestId", |out| escape(out, request_id));
    out.push_str("</ErrorResponse>");
    out
}

fn element(out: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    out.push_str(&format!("<{name}>"));
    inside(out);
    out.push_str(&format!("</{name}>"));
}

/// Characters that XML cannot have at all become a question mark.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(character))),
            character if character < ' ' || matches!(character, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            character => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_add_elements() {
        let text = error("Code", "a <b> & \"c\"\n\u{1}", "id");
        let inside = "<Message>a &lt;b&gt; &amp; &quot;c&quot;&#10;?</Message>";
        assert!(
            text.contains(inside) && text.ends_with("<RequestId>id</RequestId></ErrorResponse>"),
            "{text}"
        );
        let parts = [Element::Parent("A", vec![Element::Text("B", "</A>".to_owned())])];
        let text = response("Do", &parts, "id");
        assert!(text.contains("<DoResult><A><B>&lt;/A&gt;</B></A></DoResult>"), "{text}");
    }
}
