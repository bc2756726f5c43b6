#!/usr/bin/env python3
"""Runs a command on the cases of the corpus, and prints what it does wrong.

    run.py [--format F,...] [--features F,...] [--timeout SECONDS] DIR COMMAND...

The command prints the content of an image and exits with 0, or rejects it with any other exit
status. {image}, {format}, {header} and {passphrase} in its words are replaced. With --features,
cases that need any other feature are skipped. README.md explains the fields of a case.
"""
import argparse
import hashlib
import json
import pathlib
import subprocess
import sys


def content(words, timeout):
    """What the command does: accepted with a digest, or rejected, crashed or hung."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return "hung", None
    if done.returncode < 0:
        return f"crashed with signal {-done.returncode}", None
    if done.returncode > 0:
        return "rejected", None
    return "accepted", {
        "sha256": hashlib.sha256(done.stdout).hexdigest(),
        "length": len(done.stdout),
    }


def fault(expect, outcome, answer):
    """What is wrong with an outcome, if anything."""
    verdict = expect["verdict"]
    if outcome not in ("accepted", "rejected"):
        return outcome
    if verdict == "must-accept" and outcome == "rejected":
        return "rejected, but it must be accepted"
    if verdict == "must-reject" and outcome == "accepted":
        return "accepted, but it must be rejected"
    if outcome == "accepted" and "answer" in expect and answer != expect["answer"]:
        return f"wrong content: {answer}, not {expect['answer']}"
    return None


def because(case, expect):
    """The sentences of the format that decide."""
    cited = [s for s in case["spec"] if s["rule"] in expect["rules"]]
    return [f"{s['sentence']} ({s['document']}, {s['section']})" for s in cited]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--format", help="only cases of these formats, with commas between them")
    parser.add_argument("--features", help="only cases that need no other features")
    parser.add_argument("--timeout", type=float, default=10)
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    manifest = json.loads((args.dir / "manifest.json").read_text(encoding="utf-8"))
    passed = failed = skipped = 0
    for entry in manifest["cases"]:
        case = json.loads((args.dir / entry["path"]).read_text(encoding="utf-8"))
        lacks = args.features and set(case["features"]) - set(args.features.split(","))
        if lacks or args.format and case["format"] not in args.format.split(","):
            skipped += 1
            continue
        opening = case["open"]
        words = [word.format(
            image=args.dir.absolute() / opening["image"],
            format=opening.get("format", case["format"]),
            header=args.dir.absolute() / opening["header"] if "header" in opening else "",
            passphrase=opening.get("passphrases", [""])[0],
        ) for word in args.command]
        for expect in case["expect"]:
            if expect["operation"] != "digest":
                continue
            problem = fault(expect, *content(words, args.timeout))
            if problem is None:
                passed += 1
                continue
            failed += 1
            print(f"{case['id']}: {problem}\n    {case['shows']}")
            for sentence in because(case, expect):
                print(f"    {sentence}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
