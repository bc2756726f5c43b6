import type { Skeleton } from "./skeleton.ts";

const ADAPTER = String
  .raw`// An adapter for diskproof: a request per line on standard input, an answer per line on standard
// output. docs/adapter.md of diskproof describes the protocol.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
)

// Members are those of docs/adapter.md: ID comes back in the answer.
type request struct {
	ID          string   "json:\"id\""
	Operation   string   "json:\"operation\""
	Image       string   "json:\"image\"" // a full path
	Format      string   "json:\"format\""
	Header      string   "json:\"header\""
	Passphrases []string "json:\"passphrases\""
	Snapshot    string   "json:\"snapshot\""
	Offset      string   "json:\"offset\"" // decimal, as is Length
	Length      string   "json:\"length\""
}

type members map[string]any

// errUnsupported: the implementation does not support what the image needs. Every other error
// means that the image is rejected.
var errUnsupported = errors.New("unsupported")

func hello(request) (any, error) {
	return members{
		"protocol": 1, "name": "my implementation", "version": "0.1", "language": "Go",
		// List here what the implementation reads: raw, qcow, qcow2, luks, luks2.
		"formats": []string{"qcow2"},
		// List here what this adapter answers: probe, info, map, check, digest, unlock.
		"operations": []string{"info", "digest"},
		// "features": []string{"qcow2.v2", "qcow2.v3", "backing", "compressed"},
		// "takes": []string{"passphrases", "header"},
	}, nil
}

func info(r request) (any, error) {
	// return members{"format": "qcow2", "virtual-size": strconv.FormatInt(size, 10)}, nil
	return nil, fmt.Errorf("info is not filled in: %w", errUnsupported)
}

func digest(r request) (any, error) {
	// return digestOf(io.NewSectionReader(image, 0, size), size)
	return nil, fmt.Errorf("digest is not filled in: %w", errUnsupported)
}

// digestOf returns the digest of a reader of guest content.
func digestOf(content io.Reader, length int64) (any, error) {
	hash := sha256.New()
	if _, err := io.CopyN(hash, content, length); err != nil {
		return nil, err
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	return members{"sha256": sum, "length": strconv.FormatInt(length, 10)}, nil
}

var operations = map[string]func(request) (any, error){
	"hello": hello, "info": info, "digest": digest,
}

func answer(r request) (reply members) {
	defer func() {
		// A panic is a bug of the implementation.
		if reason := recover(); reason != nil {
			reply = members{"crashed": fmt.Sprintf("%v\n%s", reason, debug.Stack())}
		}
	}()
	operation, ok := operations[r.Operation]
	if !ok {
		return members{"unsupported": r.Operation}
	}
	value, err := operation(r)
	if errors.Is(err, errUnsupported) {
		return members{"unsupported": err.Error()}
	}
	if err != nil {
		return members{"rejected": err.Error()}
	}
	return members{"ok": value}
}

// Keep standard output for answers: print messages to os.Stderr.
func main() {
	input := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			return
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			panic(err)
		}
		reply := answer(r)
		reply["id"] = r.ID
		if err := output.Encode(reply); err != nil {
			panic(err)
		}
	}
}
`;

/** Go, with its standard library. */
export const go: Skeleton = {
  files: { "main.go": ADAPTER, "go.mod": "module adapter\n\ngo 1.18\n" },
  build: ["go build -o adapter ."],
  command: "DIR/adapter",
};
