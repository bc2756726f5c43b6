// go-qcow2reader as an adapter for diskproof: jsonl:./adapter
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"

	qcow2reader "github.com/lima-vm/go-qcow2reader"
	"github.com/lima-vm/go-qcow2reader/image"
	"github.com/lima-vm/go-qcow2reader/image/qcow2"
)

type members map[string]any

var errUnsupported = errors.New("unsupported")
var description = members{
	"protocol": 1, "name": "go-qcow2reader", "version": "0.6.0", "language": "Go",
	"homepage": "https://github.com/lima-vm/go-qcow2reader",
	"formats":  []string{"qcow2"}, "operations": []string{"info", "map", "digest"},
	"features": []string{"qcow2.v*", "backing", "compressed", "extended-l2", "snapshots", "bitmaps"},
}

func ask(r map[string]string) (any, error) {
	file, err := os.Open(r["image"])
	if err != nil {
		return nil, err
	}
	defer file.Close()
	img, err := qcow2reader.OpenWithType(file, qcow2.Type)
	if err == nil {
		err = img.Readable()
	}
	if err != nil {
		return nil, err
	}
	offset, length := int64(0), img.Size()
	switch r["operation"] {
	case "info":
		return members{"format": img.Type(), "virtual-size": fmt.Sprint(length)}, nil
	case "map":
		entries := []members{}
		for e := (image.Extent{}); e.Start+e.Length < length; {
			if e, err = img.Extent(e.Start+e.Length, length-e.Start-e.Length); err != nil {
				return nil, err
			}
			entries = append(entries, members{"start": e.Start, "length": e.Length, "zero": e.Zero})
		}
		return entries, nil
	case "digest-range":
		offset, _ = strconv.ParseInt(r["offset"], 10, 64)
		length, _ = strconv.ParseInt(r["length"], 10, 64)
		fallthrough
	case "digest":
		hash := sha256.New()
		_, err := io.CopyN(hash, io.NewSectionReader(img, offset, length), length)
		return members{"sha256": fmt.Sprintf("%x", hash.Sum(nil)), "length": length}, err
	}
	return nil, errUnsupported
}

func answer(r map[string]string) (reply members) {
	defer func() {
		if reason := recover(); reason != nil {
			reply = members{"crashed": fmt.Sprintf("%v\n%s", reason, debug.Stack())}
		}
	}()
	if r["operation"] == "hello" {
		return members{"ok": description}
	}
	value, err := ask(r)
	for _, kind := range []error{errUnsupported, qcow2.ErrUnsupportedEncryption,
		qcow2.ErrUnsupportedCompression, qcow2.ErrUnsupportedFeature} {
		if errors.Is(err, kind) {
			return members{"unsupported": err.Error()}
		}
	}
	if err != nil {
		return members{"rejected": err.Error()}
	}
	return members{"ok": value}
}

func main() {
	input, output := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for line, err := input.ReadBytes('\n'); err == nil; line, err = input.ReadBytes('\n') {
		r := map[string]string{} // numbers, such as the version of the protocol, are left out
		_ = json.Unmarshal(line, &r)
		reply := answer(r)
		reply["id"] = r["id"]
		_ = output.Encode(reply)
	}
}
