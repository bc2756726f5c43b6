// Run runs a command on the cases, and prints what it does wrong (see README.md). The command
// prints the content of {image}, or exits with another status than 0.
//
//	go run run.go [-format F,...] [-features F,...] DIR COMMAND...
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type Case struct {
	ID, Format, Shows, Path string
	Features                []string
	Spec                    []struct{ Rule, Sentence, Document, Section string }
	Open                    struct{ Image string }
	Expect                  []Expect
}

type Expect struct {
	Operation, Verdict string
	Rules              []string
	Answer             struct{ SHA256 string }
}

func load(path string, value any) {
	text, err := os.ReadFile(path)
	if err = errors.Join(err, json.Unmarshal(text, value)); err != nil {
		panic(err)
	}
}

func listed(list, item string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), item)
}

// fault runs the command, and says what is wrong with what it does; "" if nothing is.
func fault(words []string, e Expect) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, words[0], words[1:]...).Output()
	var end *exec.ExitError
	got := fmt.Sprintf("%x", sha256.Sum256(output))
	switch {
	case err != nil && (!errors.As(err, &end) || end.ExitCode() < 0):
		return "it crashes or hangs: " + err.Error()
	case err != nil && e.Verdict == "must-accept", err == nil && e.Verdict == "must-reject":
		return "it does not do what it must: " + e.Verdict
	case err == nil && e.Answer.SHA256 != "" && e.Answer.SHA256 != got:
		return fmt.Sprintf("wrong content: %s, not %s", got, e.Answer.SHA256)
	}
	return ""
}

func main() {
	formats := flag.String("format", "", "only cases of these formats")
	features := flag.String("features", "", "only cases that need no other features")
	flag.Parse()
	var manifest struct{ Cases []Case }
	load(filepath.Join(flag.Arg(0), "manifest.json"), &manifest)
	run, failed := 0, 0
	for _, c := range manifest.Cases {
		load(filepath.Join(flag.Arg(0), c.Path), &c)
		lacks := func(it string) bool { return !listed(*features, it) }
		if !listed(*formats, c.Format) || slices.ContainsFunc(c.Features, lacks) {
			continue
		}
		image, _ := filepath.Abs(filepath.Join(flag.Arg(0), c.Open.Image))
		line := strings.ReplaceAll(strings.Join(flag.Args()[1:], "\n"), "{image}", image)
		for _, e := range c.Expect {
			if e.Operation != "digest" {
				continue
			}
			problem := fault(strings.Split(line, "\n"), e)
			if run++; problem == "" {
				continue
			}
			failed++
			fmt.Printf("%s: %s\n    %s\n", c.ID, problem, c.Shows)
			for _, s := range c.Spec {
				if slices.Contains(e.Rules, s.Rule) {
					fmt.Printf("    %s (%s, %s)\n", s.Sentence, s.Document, s.Section)
				}
			}
		}
	}
	fmt.Printf("%d passed, %d failed\n", run-failed, failed)
	os.Exit(min(failed, 1))
}
