//! The AWS SDK for JavaScript, version 3, which AWS's Node.js runtimes contain.
//!
//! AWS includes all of its some 400 clients. Here are those that functions are known to use, with their
//! libraries; a function must include any other in its package.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::runtimes::{RuntimeError, files};

/// The first major version of Node.js that current releases of the SDK support.
const CURRENT_FROM: u32 = 20;

/// The packages that are installed, without `@aws-sdk/`.
const PACKAGES: [&str; 87] = [
    "client-acm",
    "client-api-gateway",
    "client-apigatewaymanagementapi",
    "client-apigatewayv2",
    "client-appconfig",
    "client-appconfigdata",
    "client-application-auto-scaling",
    "client-appsync",
    "client-athena",
    "client-auto-scaling",
    "client-batch",
    "client-bedrock-agent-runtime",
    "client-bedrock-runtime",
    "client-cloudformation",
    "client-cloudfront",
    "client-cloudtrail",
    "client-cloudwatch",
    "client-cloudwatch-events",
    "client-cloudwatch-logs",
    "client-codebuild",
    "client-codedeploy",
    "client-codepipeline",
    "client-cognito-identity",
    "client-cognito-identity-provider",
    "client-comprehend",
    "client-config-service",
    "client-cost-explorer",
    "client-dynamodb",
    "client-dynamodb-streams",
    "client-ec2",
    "client-ecr",
    "client-ecs",
    "client-efs",
    "client-eks",
    "client-elastic-load-balancing-v2",
    "client-elasticache",
    "client-eventbridge",
    "client-firehose",
    "client-glue",
    "client-iam",
    "client-iot",
    "client-iot-data-plane",
    "client-kinesis",
    "client-kms",
    "client-lambda",
    "client-opensearch",
    "client-organizations",
    "client-pinpoint",
    "client-pipes",
    "client-polly",
    "client-rds",
    "client-rds-data",
    "client-redshift-data",
    "client-rekognition",
    "client-resource-groups-tagging-api",
    "client-route-53",
    "client-s3",
    "client-s3-control",
    "client-scheduler",
    "client-secrets-manager",
    "client-ses",
    "client-sesv2",
    "client-sfn",
    "client-sns",
    "client-sqs",
    "client-ssm",
    "client-sso",
    "client-sso-oidc",
    "client-sts",
    "client-textract",
    "client-timestream-query",
    "client-timestream-write",
    "client-transcribe",
    "client-translate",
    "client-xray",
    "cloudfront-signer",
    "credential-providers",
    "dsql-signer",
    "ec2-metadata-service",
    "lib-dynamodb",
    "lib-storage",
    "polly-request-presigner",
    "rds-signer",
    "s3-presigned-post",
    "s3-request-presigner",
    "signature-v4-multi-region",
    "util-dynamodb",
];

/// Folders of a package for bundlers and browsers; Node.js loads `dist-cjs`.
const UNUSED_FOLDERS: [&str; 2] = ["dist-es", "dist-types"];

/// npm's specifiers of all packages for this major version of Node.js.
pub(super) fn packages(major: u32) -> impl Iterator<Item = String> {
    // The first release that refuses Node.js 18 is 3.968.0.
    let range = if major < CURRENT_FROM { "<3.968.0" } else { "3" };
    PACKAGES.iter().map(move |name| format!("@aws-sdk/{name}@{range}"))
}

/// Removes files from npm's folder that Node.js never loads: nine tenths of it.
pub(super) fn prune(folder: &Path) -> Result<(), RuntimeError> {
    for entry in fs::read_dir(folder).map_err(RuntimeError::io("list", folder))? {
        let entry = entry.map_err(RuntimeError::io("list", folder))?;
        let path = entry.path();
        let is_dir = entry.file_type().map_err(RuntimeError::io("read", &path))?.is_dir();
        let name = entry.file_name();
        let unused = is_dir && UNUSED_FOLDERS.iter().any(|unused| name == OsStr::new(unused))
            || name.as_encoded_bytes().ends_with(b".d.ts")
            || name == ".bin";
        if unused {
            files::remove(&path)?;
        } else if is_dir {
            prune(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_of_node_gets_an_sdk_that_it_can_run() {
        assert!(packages(18).any(|package| package == "@aws-sdk/client-s3@<3.968.0"));
        assert!(packages(22).any(|package| package == "@aws-sdk/lib-dynamodb@3"));
        assert!(PACKAGES.is_sorted(), "so that a duplicate is noticed");
    }

    #[test]
    fn only_files_that_node_loads_are_left() {
        let dir = tempfile::tempdir().unwrap();
        let package = dir.path().join("@aws-sdk/client-x");
        for folder in ["dist-cjs/models", "dist-es", "dist-types"] {
            fs::create_dir_all(package.join(folder)).unwrap();
        }
        for file in ["package.json", "dist-cjs/index.js", "dist-cjs/index.d.ts", "dist-es/index.js"] {
            fs::write(package.join(file), "").unwrap();
        }
        prune(dir.path()).unwrap();
        let left = |path: &str| package.join(path).exists();
        assert!(left("package.json") && left("dist-cjs/index.js") && left("dist-cjs/models"));
        assert!(!left("dist-es") && !left("dist-types") && !left("dist-cjs/index.d.ts"));
    }
}
