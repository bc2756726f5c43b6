//! imago as an adapter for diskproof: jsonl:target/release/adapter

mod changes;

use changes::{change, number, open, Images};
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, ErrorKind, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::thread;

const PIECE: u64 = 1 << 20;
const DIGEST_MAX: u64 = 1 << 32;

fn hello() -> Value {
    json!({
        "protocol": 1, "name": "imago", "version": "0.2.6", "language": "Rust",
        "homepage": "https://gitlab.com/hreitz/imago", "formats": ["qcow2"],
        "operations": ["info", "map", "digest", "create", "read", "write", "write-zeroes",
            "discard", "flush", "close", "resize"],
        "concurrent": 8,
        "features": ["qcow2.v2", "qcow2.v3", "backing", "compressed", "external-data-file",
            "snapshots", "bitmaps", "raw"],
    })
}

fn digest(request: &Value) -> io::Result<Value> {
    let image = open(request, false)?;
    let mut offset = number(request, "offset").unwrap_or(0);
    let length = number(request, "length").unwrap_or(image.size());
    if length > DIGEST_MAX {
        return Err(io::Error::new(ErrorKind::Unsupported, "the content is too long"));
    }
    let end = offset + length;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; PIECE as usize];
    while offset < end {
        let piece = &mut buffer[..PIECE.min(end - offset) as usize];
        image.read(&mut *piece, offset)?;
        offset += piece.len() as u64;
        hash.update(piece);
    }
    Ok(json!({"sha256": format!("{:x}", hash.finalize()), "length": length.to_string()}))
}

fn map(request: &Value) -> io::Result<Value> {
    let image = open(request, false)?;
    let mut entries: Vec<Value> = Vec::new();
    let mut offset = 0;
    while offset < image.size() {
        let (mapping, length) = image.get_mapping(offset, image.size() - offset)?;
        let zero = matches!(mapping, imago::Mapping::Zero { .. } | imago::Mapping::Eof { .. });
        let (start, long) = (offset.to_string(), length.to_string());
        entries.push(json!({"start": start, "length": long, "zero": zero}));
        offset += length;
    }
    Ok(Value::Array(entries))
}

fn info(request: &Value) -> io::Result<Value> {
    Ok(json!({"format": "qcow2", "virtual-size": open(request, false)?.size().to_string()}))
}

fn answer(images: &Images, request: &Value) -> Value {
    let operation = request["operation"].as_str().unwrap_or("");
    let answered = catch_unwind(AssertUnwindSafe(|| match operation {
        "hello" => Ok(hello()),
        "info" => info(request),
        "map" => map(request),
        "digest" | "digest-range" => digest(request),
        _ => change(images, request, operation),
    }));
    let id = &request["id"];
    match answered {
        Ok(Ok(value)) => json!({"id": id, "ok": value}),
        Ok(Err(error)) if error.kind() == ErrorKind::Unsupported => {
            json!({"id": id, "unsupported": error.to_string()})
        }
        Ok(Err(error)) => json!({"id": id, "rejected": error.to_string()}),
        Err(_) => json!({"id": id, "crashed": "panic"}),
    }
}

/// Requests in flight are for one image, and each has a thread.
fn main() {
    let images = Images::default();
    thread::scope(|threads| {
        for line in io::stdin().lock().lines() {
            let request: Value = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
            let images = &images;
            threads.spawn(move || {
                writeln!(io::stdout(), "{}", answer(images, &request)).expect("a reader");
            });
        }
    });
}
