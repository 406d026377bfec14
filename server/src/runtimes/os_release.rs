//! `/etc/os-release` of AWS's images. Libraries choose their native parts by it, and packages made for AWS
//! contain those for Amazon Linux.

/// Identifiers whose image is Amazon Linux 2; the image of later ones is Amazon Linux 2023.
const ON_AMAZON_LINUX_2: [&str; 12] = [
    "provided.al2",
    "nodejs16.x",
    "nodejs18.x",
    "python3.8",
    "python3.9",
    "python3.10",
    "python3.11",
    "java8.al2",
    "java11",
    "java17",
    "ruby3.2",
    "dotnet6",
];

const AMAZON_LINUX_2: &str = r#"NAME="Amazon Linux"
VERSION="2"
ID="amzn"
ID_LIKE="centos rhel fedora"
VERSION_ID="2"
PRETTY_NAME="Amazon Linux 2"
ANSI_COLOR="0;33"
CPE_NAME="cpe:2.3:o:amazon:amazon_linux:2"
"#;

const AMAZON_LINUX_2023: &str = r#"NAME="Amazon Linux"
VERSION="2023"
ID="amzn"
ID_LIKE="fedora"
VERSION_ID="2023"
PLATFORM_ID="platform:al2023"
PRETTY_NAME="Amazon Linux 2023"
ANSI_COLOR="0;33"
CPE_NAME="cpe:2.3:o:amazon:amazon_linux:2023"
VENDOR_NAME="AWS"
"#;

/// The content for AWS's image of this runtime.
pub(super) fn of(identifier: &str) -> &'static str {
    if ON_AMAZON_LINUX_2.contains(&identifier) { AMAZON_LINUX_2 } else { AMAZON_LINUX_2023 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runtime_names_its_image() {
        for (identifier, version) in [
            ("provided.al2", "2"),
            ("provided.al2023", "2023"),
            ("python3.11", "2"),
            ("python3.12", "2023"),
            ("nodejs18.x", "2"),
            ("nodejs20.x", "2023"),
            ("java21", "2023"),
            ("java17.al2023", "2023"),
        ] {
            let text = of(identifier);
            assert!(text.contains(&format!("\nVERSION_ID=\"{version}\"\n")), "{identifier}");
            assert!(text.lines().all(|line| line.contains('=')), "{text}");
        }
    }
}
