//! The files of the page, as `web/` builds them.

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use axum::body::{Body as Whole, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderName, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};
use tonic::body::Body;

use super::plain;

static BUILT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/web/dist");

/// What the page is.
const INDEX: &str = "index.html";

/// The folder of files whose names change with their content.
const HASHED: &str = "assets/";

/// Nothing is loaded from elsewhere, nothing runs that is not a file of ours, nobody puts the
/// page into a frame of theirs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PROTECTION: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

struct Asset {
    kind: &'static str,
    bytes: &'static [u8],
    /// Where that is shorter.
    gzip: Option<Bytes>,
    etag: HeaderValue,
    is_hashed: bool,
}

static ASSETS: LazyLock<HashMap<&'static str, Asset>> = LazyLock::new(|| {
    let mut assets = HashMap::new();
    collect(&BUILT, &mut assets);
    assets
});

fn collect(folder: &'static Dir<'static>, assets: &mut HashMap<&'static str, Asset>) {
    for file in folder.files() {
        if let Some(path) = file.path().to_str() {
            assets.insert(path, Asset::of(path, file.contents()));
        }
    }
    folder.dirs().for_each(|folder| collect(folder, assets));
}

impl Asset {
    fn of(path: &str, bytes: &'static [u8]) -> Self {
        let hash: String =
            Sha256::digest(bytes).iter().take(16).map(|b| format!("{b:02x}")).collect();
        Self {
            kind: kind(path),
            bytes,
            gzip: compressed(bytes),
            // Hexadecimal digits can stand in a header.
            etag: HeaderValue::from_str(&format!("\"{hash}\""))
                .unwrap_or(HeaderValue::from_static("\"\"")),
            is_hashed: path.starts_with(HASHED),
        }
    }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn compressed(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    let shorter = encoder.finish().ok().filter(|shorter| shorter.len() < bytes.len());
    shorter.map(Bytes::from)
}

/// A file of the page. Its views are behind `#`, which browsers keep to themselves: what is
/// asked is in no log on the way.
pub(super) fn answer<B>(request: &Request<B>) -> Response<Body> {
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() { INDEX } else { path };
    let Some(asset) = ASSETS.get(path) else {
        return plain(StatusCode::NOT_FOUND, "there is no such file; the desk is at /");
    };
    let takes = |name: HeaderName, what: &str| {
        let values = request.headers().get_all(name);
        values.iter().filter_map(|value| value.to_str().ok()).any(|value| value.contains(what))
    };
    let is_known = takes(IF_NONE_MATCH, asset.etag.to_str().unwrap_or_default());
    let gzip = asset.gzip.as_ref().filter(|_| takes(ACCEPT_ENCODING, "gzip"));
    let bytes = match (is_known, gzip) {
        (true, _) => Bytes::new(),
        (false, Some(gzip)) => gzip.clone(),
        (false, None) => Bytes::from_static(asset.bytes),
    };
    let mut answer = Response::new(Body::new(Whole::from(bytes)));
    let headers = answer.headers_mut();
    protect(headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(ETAG, asset.etag.clone());
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let keep = match asset.is_hashed {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    } else if gzip.is_some() {
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer
}

/// What tells a browser to be strict.
pub(super) fn protect(headers: &mut HeaderMap) {
    for (name, value) in PROTECTION {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
