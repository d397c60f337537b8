// An outsider with Go's own tlog and note packages, and nothing of ours: reads an exported log,
// checks a proof file, or writes a log for us to check.
//
//	tlog read FOLDER VKEY [OLDER_CHECKPOINT...]   one JSON object of what was verified
//	tlog tampered FOLDER VKEY                     every resource with one bit changed; counts refusals
//	tlog proof FILE VKEY                          a C2SP tlog-proof with the entry in `extra`
//	tlog write FOLDER SIZE                        a log of "leaf 0", "leaf 1" ...; prints its key
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// c2spPath is the place of a tile in tlog-tiles: Go's, without the height, and with another name
// for the entries.
func c2spPath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

// folder reads tiles as Go's client does; one of them may come with a bit changed.
type folder struct {
	path   string
	tamper string
}

func (f folder) read(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(f.path, name))
	if err == nil && name == f.tamper {
		data[len(data)/2] ^= 1
	}
	return data, err
}

func (f folder) Height() int                     { return height }
func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		data, err := f.read(c2spPath(tile))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

// checkpoint verifies a note and takes its three lines apart.
func checkpoint(text []byte, vkey string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tree, errors.New("not a checkpoint of this log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// bundle is the entries under tile (0, n).
func (f folder) bundle(n, size int64) ([][]byte, error) {
	width := size - n*256
	if width > 256 {
		width = 256
	}
	data, err := f.read(c2spPath(tlog.Tile{H: height, L: -1, N: n, W: int(width)}))
	var entries [][]byte
	for err == nil && len(data) >= 2 && len(data) >= 2+int(binary.BigEndian.Uint16(data)) {
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries, data = append(entries, data[2:end]), data[end:]
	}
	if err == nil && (len(data) != 0 || int64(len(entries)) != width) {
		err = fmt.Errorf("bundle %d has another length", n)
	}
	return entries, err
}

// records checks every entry against the hash that the verified tiles have for it.
func (f folder) records(tree tlog.Tree, hashes tlog.HashReader) error {
	for n := int64(0); n*256 < tree.N; n++ {
		entries, err := f.bundle(n, tree.N)
		if err != nil {
			return err
		}
		var at []int64
		for i := range entries {
			at = append(at, tlog.StoredHashIndex(0, n*256+int64(i)))
		}
		want, err := hashes.ReadHashes(at)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			if tlog.RecordHash(entry) != want[i] {
				return fmt.Errorf("entry %d is not what its tile says", n*256+int64(i))
			}
		}
	}
	return nil
}

// some are indexes or sizes up to a maximum: the first, the last, both sides of every edge.
func some(max int64) []int64 {
	out := []int64{}
	for _, n := range []int64{0, 1, 2, 3, 254, 255, 256, 257, 511, 512, 600, 4095, 4096, 65279, 65280,
		65534, 65535, 65536, 65537, max - 257, max - 256, max - 2, max - 1, max} {
		if n >= 0 && n <= max {
			out = append(out, n)
		}
	}
	return out
}

func (f folder) proofs(tree tlog.Tree, hashes tlog.HashReader) (inclusion, consistency int, err error) {
	for _, n := range some(tree.N - 1) {
		entries, err := f.bundle(n/256, tree.N)
		if err != nil {
			return 0, 0, err
		}
		proof, err := tlog.ProveRecord(tree.N, n, hashes)
		if err == nil {
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, n, tlog.RecordHash(entries[n%256]))
		}
		if err != nil {
			return 0, 0, fmt.Errorf("inclusion of %d: %w", n, err)
		}
		inclusion++
	}
	for _, n := range some(tree.N)[1:] {
		root, err := tlog.TreeHash(n, hashes)
		if err != nil {
			return 0, 0, err
		}
		proof, err := tlog.ProveTree(tree.N, n, hashes)
		if err == nil {
			err = tlog.CheckTree(proof, tree.N, tree.Hash, n, root)
		}
		if err != nil {
			return 0, 0, fmt.Errorf("consistency from %d: %w", n, err)
		}
		consistency++
	}
	return inclusion, consistency, nil
}

// tiles are those of a tree of this size; Go's list has every width a partial one ever had.
func tiles(size int64) []tlog.Tile {
	var out []tlog.Tile
	for _, tile := range tlog.NewTiles(height, 0, size) {
		hashes := size >> (height * tile.L)
		if tile.W == 256 || int64(tile.W) == hashes%256 {
			out = append(out, tile)
		}
	}
	return out
}

// needed are the names of all files that a log of this size has, by Go's own list of tiles.
func needed(size int64) []string {
	names := []string{"checkpoint"}
	for _, tile := range tiles(size) {
		names = append(names, c2spPath(tile))
		if tile.L == 0 {
			tile.L = -1
			names = append(names, c2spPath(tile))
		}
	}
	return names
}

// surplus are the files that are there and not needed.
func (f folder) surplus(size int64) ([]string, error) {
	known := map[string]bool{}
	for _, name := range needed(size) {
		known[name] = true
	}
	extra := []string{}
	err := filepath.WalkDir(f.path, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(f.path, path)
		if err == nil && !entry.IsDir() && !known[name] {
			extra = append(extra, name)
		}
		return err
	})
	return extra, err
}

// verify is everything a reader checks of the newest tree.
func (f folder) verify(vkey string) (tlog.Tree, tlog.HashReader, error) {
	text, err := f.read("checkpoint")
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	tree, err := checkpoint(text, vkey)
	if err != nil {
		return tree, nil, err
	}
	hashes := tlog.TileHashReader(tree, f)
	return tree, hashes, f.records(tree, hashes)
}

func read(path, vkey string, older []string) (map[string]any, error) {
	f := folder{path: path}
	tree, hashes, err := f.verify(vkey)
	if err != nil {
		return nil, err
	}
	for _, name := range older {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		before, err := checkpoint(text, vkey)
		if err != nil {
			return nil, err
		}
		proof, err := tlog.ProveTree(tree.N, before.N, hashes)
		if err == nil {
			err = tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash)
		}
		if err != nil {
			return nil, fmt.Errorf("from the checkpoint of %d: %w", before.N, err)
		}
	}
	inclusion, consistency, err := f.proofs(tree, hashes)
	if err != nil {
		return nil, err
	}
	surplus, err := f.surplus(tree.N)
	return map[string]any{"size": tree.N, "root": tree.Hash.String(), "inclusion": inclusion,
		"consistency": consistency, "files": len(needed(tree.N)), "surplus": surplus}, err
}

func tampered(path, vkey string) (map[string]any, error) {
	tree, _, err := folder{path: path}.verify(vkey)
	if err != nil {
		return nil, err
	}
	refused := 0
	for _, name := range needed(tree.N) {
		if _, _, err := (folder{path: path, tamper: name}).verify(vkey); err == nil {
			return nil, fmt.Errorf("%s with a bit changed was accepted", name)
		}
		refused++
	}
	return map[string]any{"refused": refused}, nil
}

func proof(path, vkey string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	head, rest, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return nil, errors.New("not a proof")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return nil, err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return nil, err
	}
	var hashes tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	tree, err := checkpoint(rest, vkey)
	if err == nil {
		err = tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(entry))
	}
	return map[string]any{"index": index, "size": tree.N}, err
}

func put(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

func write(path string, size int64) (map[string]any, error) {
	var stored []tlog.Hash
	hashes := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for n := int64(0); n < size; n++ {
		more, err := tlog.StoredHashes(n, []byte(fmt.Sprintf("leaf %d", n)), hashes)
		if err != nil {
			return nil, err
		}
		stored = append(stored, more...)
	}
	for _, tile := range tiles(size) {
		data, err := tlog.ReadTileData(tile, hashes)
		if err == nil {
			err = put(filepath.Join(path, c2spPath(tile)), data)
		}
		if err != nil {
			return nil, err
		}
		if tile.L != 0 {
			continue
		}
		var bundle []byte
		for i := 0; i < tile.W; i++ {
			entry := fmt.Sprintf("leaf %d", tile.N*256+int64(i))
			bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(entry)))
			bundle = append(bundle, entry...)
		}
		tile.L = -1
		if err := put(filepath.Join(path, c2spPath(tile)), bundle); err != nil {
			return nil, err
		}
	}
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return nil, err
	}
	const origin = "example.org/by-go"
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return nil, err
	}
	return map[string]any{"vkey": vkey}, put(filepath.Join(path, "checkpoint"), signed)
}

func run(args []string) (map[string]any, error) {
	if len(args) < 3 {
		return nil, errors.New("usage: tlog read|tampered|proof|write ...")
	}
	switch args[0] {
	case "read":
		return read(args[1], args[2], args[3:])
	case "tampered":
		return tampered(args[1], args[2])
	case "proof":
		return proof(args[1], args[2])
	case "write":
		size, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil {
			return nil, err
		}
		return write(args[1], size)
	}
	return nil, errors.New("no such word: " + args[0])
}

func main() {
	out, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
