//! Reads the wire table. `import/src/table.rs`, which writes it, describes its grammar.

use std::collections::BTreeMap;

pub(crate) struct Table<'a> {
    pub(crate) errors: Vec<ErrorLine<'a>>,
    pub(crate) operations: Vec<OperationLine<'a>>,
    pub(crate) shapes: BTreeMap<&'a str, Shape<'a>>,
}

pub(crate) struct ErrorLine<'a> {
    pub(crate) code: &'a str,
    pub(crate) status: &'a str,
    pub(crate) fault: Option<&'a str>,
    pub(crate) text_member: &'a str,
}

pub(crate) struct OperationLine<'a> {
    pub(crate) name: &'a str,
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) status: &'a str,
    pub(crate) input: &'a str,
    pub(crate) output: Option<&'a str>,
}

pub(crate) struct Shape<'a> {
    pub(crate) kind: &'a str,
    /// The element of a list, or the key and the value of a map.
    pub(crate) targets: Vec<&'a str>,
    pub(crate) facts: Vec<&'a str>,
    pub(crate) members: Vec<Member<'a>>,
}

pub(crate) struct Member<'a> {
    pub(crate) name: &'a str,
    pub(crate) shape: &'a str,
    pub(crate) facts: Vec<&'a str>,
}

/// The value of the fact `key=value`, if there is one.
pub(crate) fn fact<'a>(facts: &[&'a str], key: &str) -> Option<&'a str> {
    facts.iter().find_map(|fact| fact.strip_prefix(key)?.strip_prefix('='))
}

impl<'a> Table<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        let mut table = Self { errors: Vec::new(), operations: Vec::new(), shapes: BTreeMap::new() };
        let mut structure = None;
        for (number, line) in text.lines().enumerate() {
            let fields: Vec<&str> = line.split('\t').collect();
            table
                .line(&fields, &mut structure)
                .ok_or_else(|| format!("line {} of the table: {line}", number + 1))?;
        }
        Ok(table)
    }

    fn line(&mut self, fields: &[&'a str], structure: &mut Option<&'a str>) -> Option<()> {
        let given = |field: &'a str| (field != "-").then_some(field);
        match *fields {
            ["error", code, status, fault, text_member] => {
                self.errors.push(ErrorLine { code, status, fault: given(fault), text_member });
            }
            ["operation", name, method, uri, status, input, output] => {
                let output = given(output);
                self.operations.push(OperationLine { name, method, uri, status, input, output });
            }
            ["member", name, shape, ref facts @ ..] => {
                let member = Member { name, shape, facts: facts.to_vec() };
                self.shapes.get_mut(structure.as_ref()?)?.members.push(member);
            }
            [kind, name, ref rest @ ..] => {
                let targets = match kind {
                    "list" => 1,
                    "map" => 2,
                    _ => 0,
                };
                let (targets, facts) = rest.split_at_checked(targets)?;
                let shape =
                    Shape { kind, targets: targets.to_vec(), facts: facts.to_vec(), members: Vec::new() };
                self.shapes.insert(name, shape);
                *structure = (kind == "structure").then_some(name);
            }
            _ => return None,
        }
        Some(())
    }
}
