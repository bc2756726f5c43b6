import type { Skeleton } from "./skeleton.ts";

const ADAPTER = String
  .raw`//! An adapter for diskproof: a request per line on standard input, an answer per line on standard
//! output. docs/adapter.md of diskproof describes the protocol.

use serde_json::{json, Value};
use std::io::{BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Why there is no answer.
#[allow(dead_code)]
enum Failure {
    /// The image is invalid.
    Rejected(String),
    /// The implementation does not support what the image needs.
    Unsupported(String),
}

type Answer = Result<Value, Failure>;

fn hello() -> Answer {
    Ok(json!({
        "protocol": 1, "name": "my implementation", "version": "0.1", "language": "Rust",
        // List here what the implementation reads: raw, qcow, qcow2, luks, luks2.
        "formats": ["qcow2"],
        // List here what this adapter answers: probe, info, map, check, digest, unlock.
        "operations": ["info", "digest"],
        // "features": ["qcow2.v2", "qcow2.v3", "backing", "compressed"],
        // "takes": ["passphrases", "header"],
    }))
}

/// request["image"] is a full path. Names in an image are relative to the folder of that image.
fn info(_request: &Value) -> Answer {
    // Ok(json!({"format": "qcow2", "virtual-size": size.to_string()}))
    Err(Failure::Unsupported("info is not filled in".into()))
}

fn digest(_request: &Value) -> Answer {
    // Ok(json!({"sha256": sha256_of_the_guest_content, "length": size.to_string()}))
    Err(Failure::Unsupported("digest is not filled in".into()))
}

fn digest_range(_request: &Value) -> Answer {
    // request["offset"] and request["length"] are decimal strings.
    Err(Failure::Unsupported("digest-range is not filled in".into()))
}

fn answer(request: &Value) -> Value {
    let operation = request["operation"].as_str().unwrap_or("");
    let answered = catch_unwind(AssertUnwindSafe(|| match operation {
        "hello" => hello(),
        "info" => info(request),
        "digest" => digest(request),
        "digest-range" => digest_range(request),
        _ => Err(Failure::Unsupported(operation.into())),
    }));
    match answered {
        Ok(Ok(value)) => json!({"id": request["id"], "ok": value}),
        Ok(Err(Failure::Rejected(reason))) => json!({"id": request["id"], "rejected": reason}),
        Ok(Err(Failure::Unsupported(what))) => json!({"id": request["id"], "unsupported": what}),
        // A panic is a bug of the implementation; its message is on standard error.
        Err(_) => json!({"id": request["id"], "crashed": "panic"}),
    }
}

/// Keep standard output for answers: print messages with eprintln!.
fn main() {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
        writeln!(output, "{}", answer(&request)).expect("a reader");
        output.flush().expect("a reader");
    }
}
`;

const CARGO = `[package]
name = "adapter"
version = "0.1.0"
edition = "2021"

[dependencies]
serde_json = "1"
`;

/** Rust, with serde_json. */
export const rust: Skeleton = {
  files: { "src/main.rs": ADAPTER, "Cargo.toml": CARGO },
  build: ["cargo build --release"],
  command: "DIR/target/release/adapter",
};
