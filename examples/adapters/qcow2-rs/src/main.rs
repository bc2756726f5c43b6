//! qcow2-rs as an adapter for diskproof: jsonl:target/release/adapter

use qcow2_rs::dev::{Qcow2Dev, Qcow2DevParams};
use qcow2_rs::error::Qcow2Result;
use qcow2_rs::helpers::Qcow2IoBuf;
use qcow2_rs::tokio_io::Qcow2IoTokio;
use qcow2_rs::utils::qcow2_setup_dev_tokio;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

const PIECE: u64 = 1 << 20;
const BLOCK: u64 = 512;
const DIGEST_MAX: u64 = 1 << 32;

fn hello() -> Value {
    json!({
        "protocol": 1, "name": "qcow2-rs", "version": "0.1.6", "language": "Rust",
        "homepage": "https://github.com/ublk-org/qcow2-rs", "formats": ["qcow2"],
        "operations": ["info", "digest"],
        "features": ["qcow2.v2", "qcow2.v3", "backing", "compressed", "snapshots", "bitmaps"],
    })
}

/// The library opens a backing file relative to the current folder.
async fn open(request: &Value) -> Qcow2Result<Qcow2Dev<Qcow2IoTokio>> {
    let path = Path::new(request["image"].as_str().unwrap_or(""));
    std::fs::File::open(path)?; // the library panics where it cannot
    std::env::set_current_dir(path.parent().unwrap_or(path))?;
    let params = Qcow2DevParams::new(9, None, None, true, false);
    qcow2_setup_dev_tokio(path, &params).await
}

fn number(request: &Value, name: &str) -> Option<u64> {
    request[name].as_str().and_then(|text| text.parse().ok())
}

async fn digest(request: &Value) -> Qcow2Result<Value> {
    let device = open(request).await?;
    let mut offset = number(request, "offset").unwrap_or(0);
    let length = number(request, "length").unwrap_or(device.info.virtual_size());
    if length > DIGEST_MAX {
        return Err("unsupported: the content is too long".into());
    }
    let end = offset + length;
    let mut hash = Sha256::new();
    let mut buffer = Qcow2IoBuf::<u8>::new(PIECE as usize);
    while offset < end {
        let wanted = PIECE.min(end - offset);
        // The library reads whole blocks, and may read less than it is asked for.
        let blocks = wanted.div_ceil(BLOCK) * BLOCK;
        let read = device.read_at(&mut buffer[..blocks as usize], offset).await?;
        let used = wanted.min(read as u64);
        if used == 0 {
            return Err(format!("nothing is read at {offset}").into());
        }
        hash.update(&buffer[..used as usize]);
        offset += used;
    }
    Ok(json!({"sha256": format!("{:x}", hash.finalize()), "length": length.to_string()}))
}

async fn info(request: &Value) -> Qcow2Result<Value> {
    let info = open(request).await?.info;
    Ok(json!({"format": "qcow2", "virtual-size": info.virtual_size().to_string(),
        "cluster-size": info.cluster_size()}))
}

fn answer(runtime: &tokio::runtime::Runtime, request: &Value) -> Value {
    let answered = catch_unwind(AssertUnwindSafe(|| match request["operation"].as_str() {
        Some("hello") => Ok(hello()),
        Some("info") => runtime.block_on(info(request)),
        Some("digest" | "digest-range") => runtime.block_on(digest(request)),
        _ => Err("unsupported: operation".into()),
    }));
    let id = &request["id"];
    match answered {
        Ok(Ok(value)) => json!({"id": id, "ok": value}),
        Ok(Err(error)) if error.to_string().starts_with("unsupported: ") => {
            json!({"id": id, "unsupported": error.to_string()})
        }
        Ok(Err(error)) => json!({"id": id, "rejected": error.to_string()}),
        Err(_) => json!({"id": id, "crashed": "panic"}),
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
        writeln!(io::stdout(), "{}", answer(&runtime, &request)).expect("a reader");
    }
}
