//! The environment variables of a runtime [fact:platform-variables]. Those of the function, its environment
//! and its credentials are in `environment::variables`.

use std::collections::BTreeMap;

const COMMON: [(&str, &str); 6] = [
    ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ("LAMBDA_TASK_ROOT", "/var/task"),
    ("LANG", "en_US.UTF-8"),
    (
        "LD_LIBRARY_PATH",
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    ),
    // AWS also has the slash after /usr/bin.
    ("PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    ("TZ", ":UTC"),
];

/// Variables of every managed runtime. `PWD` and `SHLVL` come from AWS's bootstrap shell script.
const MANAGED: [(&str, &str); 2] = [("PWD", "/var/task"), ("SHLVL", "0")];

/// Variables of `provided.*`: without `AWS_EXECUTION_ENV`, `PWD` and `SHLVL`.
pub(super) fn provided() -> BTreeMap<String, String> {
    owned(COMMON)
}

/// Variables of `python3.*`.
pub(super) fn python(identifier: &str) -> BTreeMap<String, String> {
    let mut all = managed(identifier);
    all.insert("PYTHONPATH".to_owned(), "/var/runtime".to_owned());
    all
}

/// Variables of `nodejs<major>.x`.
pub(super) fn node(identifier: &str, major: u32) -> BTreeMap<String, String> {
    let mut all = managed(identifier);
    all.insert(
        "NODE_PATH".to_owned(),
        format!(
            "/opt/nodejs/node{major}/node_modules:/opt/nodejs/node_modules:\
             /var/runtime/node_modules:/var/runtime:/var/task"
        ),
    );
    all
}

fn managed(identifier: &str) -> BTreeMap<String, String> {
    let mut all = owned(COMMON);
    all.extend(owned(MANAGED));
    all.insert("AWS_EXECUTION_ENV".to_owned(), format!("AWS_Lambda_{identifier}"));
    all
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_managed_runtimes_name_themselves() {
        let (os_only, py) = (provided(), python("python3.14"));
        for key in ["AWS_EXECUTION_ENV", "PWD", "SHLVL", "PYTHONPATH"] {
            assert!(!os_only.contains_key(key), "{key}");
            assert!(py.contains_key(key), "{key}");
        }
        assert_eq!(py["AWS_EXECUTION_ENV"], "AWS_Lambda_python3.14");
    }

    #[test]
    fn node_path_names_the_major_version() {
        let env = node("nodejs24.x", 24);
        assert_eq!(
            env["NODE_PATH"],
            "/opt/nodejs/node24/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"
        );
    }
}
