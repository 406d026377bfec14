//! The stored form of a function URL.

use lambd_model::{Attached, ByQualifier, Cors, FunctionUrl, InvokeMode, UrlAuth};
use serde::{Deserialize, Serialize};

use super::Kind;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FunctionUrlRecord {
    id: String,
    auth: UrlAuthRecord,
    invoke_mode: InvokeModeRecord,
    cors: Option<CorsRecord>,
    created_ms: i64,
    last_modified_ms: i64,
}

#[derive(Debug, Serialize, Deserialize)]
enum UrlAuthRecord {
    Iam,
    None,
}

#[derive(Debug, Serialize, Deserialize)]
enum InvokeModeRecord {
    Buffered,
    ResponseStream,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CorsRecord {
    allow_credentials: Option<bool>,
    allow_headers: Option<Vec<String>>,
    allow_methods: Option<Vec<String>>,
    allow_origins: Option<Vec<String>>,
    expose_headers: Option<Vec<String>>,
    max_age_s: Option<u32>,
}

impl Kind for FunctionUrl {
    const SEGMENT: &'static str = "url";
    type Record = FunctionUrlRecord;

    fn all(attached: &Attached) -> &ByQualifier<Self> {
        &attached.urls
    }

    fn all_mut(attached: &mut Attached) -> &mut ByQualifier<Self> {
        &mut attached.urls
    }
}

impl From<FunctionUrl> for FunctionUrlRecord {
    fn from(url: FunctionUrl) -> Self {
        let FunctionUrl { id, auth, invoke_mode, cors, created_ms, last_modified_ms } = url;
        let auth = match auth {
            UrlAuth::Iam => UrlAuthRecord::Iam,
            UrlAuth::None => UrlAuthRecord::None,
        };
        let invoke_mode = match invoke_mode {
            InvokeMode::Buffered => InvokeModeRecord::Buffered,
            InvokeMode::ResponseStream => InvokeModeRecord::ResponseStream,
        };
        Self { id, auth, invoke_mode, cors: cors.map(Into::into), created_ms, last_modified_ms }
    }
}

impl From<FunctionUrlRecord> for FunctionUrl {
    fn from(record: FunctionUrlRecord) -> Self {
        let FunctionUrlRecord { id, auth, invoke_mode, cors, created_ms, last_modified_ms } = record;
        let auth = match auth {
            UrlAuthRecord::Iam => UrlAuth::Iam,
            UrlAuthRecord::None => UrlAuth::None,
        };
        let invoke_mode = match invoke_mode {
            InvokeModeRecord::Buffered => InvokeMode::Buffered,
            InvokeModeRecord::ResponseStream => InvokeMode::ResponseStream,
        };
        Self { id, auth, invoke_mode, cors: cors.map(Into::into), created_ms, last_modified_ms }
    }
}

impl From<Cors> for CorsRecord {
    fn from(cors: Cors) -> Self {
        let Cors {
            allow_credentials,
            allow_headers,
            allow_methods,
            allow_origins,
            expose_headers,
            max_age_s,
        } = cors;
        Self { allow_credentials, allow_headers, allow_methods, allow_origins, expose_headers, max_age_s }
    }
}

impl From<CorsRecord> for Cors {
    fn from(record: CorsRecord) -> Self {
        let CorsRecord {
            allow_credentials,
            allow_headers,
            allow_methods,
            allow_origins,
            expose_headers,
            max_age_s,
        } = record;
        Self { allow_credentials, allow_headers, allow_methods, allow_origins, expose_headers, max_age_s }
    }
}
