//! The management API, asked in the same worker.

use crate::console::{Api, ApiAnswer, ApiCall};
use crate::error::Fault;

/// The API of this worker.
#[derive(Debug)]
pub struct InProcess;

impl Api for InProcess {
    async fn ask(&self, call: &ApiCall<'_>) -> Result<ApiAnswer, Fault> {
        route(call).await
    }
}

/// Routes a call into [`crate::api`]: the one place where the console meets it.
async fn route(call: &ApiCall<'_>) -> Result<ApiAnswer, Fault> {
    let detail = format!("There is no {} {} here yet.", call.method, call.path);
    let body = serde_json::json!({ "title": "Not Implemented", "status": 501, "detail": detail });
    std::future::ready(Ok(ApiAnswer { status: 501, etag: None, body })).await
}
