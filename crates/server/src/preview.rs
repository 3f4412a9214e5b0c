//! The preview page of a storyboard job: first frame and caption of each scene. No script, and a policy that would
//! refuse one; every text is escaped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{Job, Millis};

use crate::addresses::{Addresses, Purpose};

const STYLE: &str = "body{margin:0;background:#14161a;color:#e8e8e8;font:16px/1.5 system-ui,sans-serif}\
main{max-width:72rem;margin:0 auto;padding:1.5rem}h1{font-size:1.4rem}\
ol{list-style:none;margin:0;padding:0;display:grid;gap:1.5rem;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr))}\
img{width:100%;height:auto;display:block;border-radius:.4rem;background:#000}\
p{margin:.5rem 0 0;white-space:pre-line;overflow-wrap:anywhere}small{color:#9aa0aa}";

/// The `Content-Security-Policy` of the page.
pub(crate) fn policy() -> String {
    let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; img-src 'self'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors *"
    )
}

/// The page.
pub(crate) fn page(job: &Job, addresses: &Addresses, now: Millis) -> String {
    let result = job.result.clone().unwrap_or_default();
    let title = escape(result["name"].as_str().unwrap_or("Preview"));
    let fps = result["fps"].as_f64().filter(|fps| *fps > 0.0).unwrap_or(30.0);
    let no_scenes = Vec::new();
    let scenes = result["scenes"].as_array().unwrap_or(&no_scenes);
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1><ol>"
    );
    for (index, scene) in scenes.iter().enumerate() {
        html.push_str(&item(job, scene, index + 1, fps, addresses, now));
    }
    html.push_str("</ol></main></body></html>");
    html
}

fn item(job: &Job, scene: &Value, number: usize, fps: f64, addresses: &Addresses, now: Millis) -> String {
    let address = addresses.mint(Purpose::Show, &job.id, scene["file"].as_str().unwrap_or_default(), now);
    let caption = escape(scene["caption"].as_str().unwrap_or_default());
    let seconds = scene["frames"].as_f64().unwrap_or(0.0) / fps;
    format!(
        "<li><img src=\"{}\" alt=\"First frame of scene {number}\" loading=\"lazy\">\
         <p>{caption}</p><small>Scene {number}, {seconds:.1} s</small></li>",
        escape(&address)
    )
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
