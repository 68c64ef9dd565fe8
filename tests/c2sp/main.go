// An independent reader of what otori signs: Go's own implementation of signed notes and of the Merkle tree
// (golang.org/x/mod/sumdb), from which the C2SP formats were written down. Otori's tests run it; it shares
// no line with otori.
//
//	c2sp note KEY NOTE                   opens a signed note and prints its text
//	c2sp tree ENTRIES NOTE               hashes a file of entries, a line each, against a checkpoint
//	c2sp witness KEY NAME                a witness of C2SP's tlog-witness protocol on a free port of
//	                                     127.0.0.1; prints its URL and its public key
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(key string, signed []byte) (*note.Note, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	return note.Open(signed, note.VerifierList(verifier))
}

// Origin, size and root of a checkpoint.
func checkpoint(text string) (string, int64, tlog.Hash, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 {
		return "", 0, tlog.Hash{}, fmt.Errorf("a checkpoint has three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return "", 0, tlog.Hash{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return lines[0], size, root, err
}

func tree(entries, signed []byte) error {
	text, _, _ := bytes.Cut(signed, []byte("\n\n"))
	_, size, root, err := checkpoint(string(text) + "\n\n")
	if err != nil {
		return err
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	lines := bytes.SplitAfter(entries, []byte("\n"))
	for n := int64(0); n < size; n++ {
		hashes, err := tlog.StoredHashes(n, bytes.TrimSuffix(lines[n], []byte("\n")), reader)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	found, err := tlog.TreeHash(size, reader)
	if err == nil && found != root {
		err = fmt.Errorf("the root is %v and not %v", found, root)
	}
	return err
}

type witness struct {
	sync.Mutex
	log, name string
	key       ed25519.PrivateKey
	id        []byte
	size      int64
	root      tlog.Hash
}

func newWitness(log, name string) *witness {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	id := sha256.Sum256(append([]byte(name+"\n\x04"), public...))
	fmt.Printf("%s+%x+%s\n", name, id[:4],
		base64.StdEncoding.EncodeToString(append([]byte{4}, public...)))
	return &witness{log: log, name: name, key: private, id: id[:4]}
}

func (w *witness) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	w.Lock()
	defer w.Unlock()
	body, _ := io.ReadAll(io.LimitReader(in.Body, 1<<20))
	head, signed, found := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	if in.URL.Path != "/log/add-checkpoint" || !found {
		http.Error(out, "no", http.StatusBadRequest)
		return
	}
	opened, err := open(w.log, []byte(signed))
	if err != nil {
		http.Error(out, err.Error(), http.StatusForbidden)
		return
	}
	_, size, root, err := checkpoint(opened.Text)
	old, wrong := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	if err != nil || wrong != nil || old > size {
		http.Error(out, "no", http.StatusBadRequest)
		return
	}
	if old != w.size || old == size && root != w.root {
		out.Header().Set("Content-Type", "text/x.tlog.size")
		out.WriteHeader(http.StatusConflict)
		fmt.Fprintf(out, "%d\n", w.size)
		return
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
		proof = append(proof, hash)
	}
	if old > 0 && old < size {
		err = tlog.CheckTree(proof, size, root, old, w.root)
	} else if len(proof) > 0 {
		err = fmt.Errorf("a proof that proves nothing")
	}
	if err != nil {
		http.Error(out, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.size, w.root = size, root
	now := time.Now().Unix()
	text := fmt.Sprintf("cosignature/v1\ntime %d\n%s", now, opened.Text)
	line := binary.BigEndian.AppendUint64(append([]byte{}, w.id...), uint64(now))
	line = append(line, ed25519.Sign(w.key, []byte(text))...)
	fmt.Fprintf(out, "— %s %s\n", w.name, base64.StdEncoding.EncodeToString(line))
}

func main() {
	read := func(place int) []byte {
		content, err := os.ReadFile(os.Args[place])
		must(err)
		return content
	}
	switch {
	case len(os.Args) == 4 && os.Args[1] == "note":
		opened, err := open(os.Args[2], read(3))
		must(err)
		fmt.Print(opened.Text)
	case len(os.Args) == 4 && os.Args[1] == "tree":
		must(tree(read(2), read(3)))
	case len(os.Args) == 4 && os.Args[1] == "witness":
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		fmt.Printf("http://%s/log\n", listener.Addr())
		must(http.Serve(listener, newWitness(os.Args[2], os.Args[3])))
	default:
		fmt.Fprintln(os.Stderr, "usage: c2sp note KEY NOTE | tree ENTRIES NOTE | witness KEY NAME")
		os.Exit(2)
	}
}
