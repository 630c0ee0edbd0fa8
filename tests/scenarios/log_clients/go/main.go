// SPDX-License-Identifier: Apache-2.0
//
// log-client SOURCE VERIFIER CHECKPOINTS: Tessera's client library as a monitor of a log. SOURCE is unix:SOCKET, https://HOST:PORT or dir:FOLDER,
// VERIFIER the file with the log's key. It looks until it has seen so many checkpoints, proves each consistent with every other, then every
// entry of the newest tree included in it: the records where the source gives them, else their hashes. One line of JSON says what it saw.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"
)

type source interface {
	ReadCheckpoint(context.Context) ([]byte, error)
	ReadTile(ctx context.Context, level, index uint64, partial uint8) ([]byte, error)
	ReadEntryBundle(ctx context.Context, index uint64, partial uint8) ([]byte, error)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The source, and whether it gives records.
func open(name string) (source, bool) {
	if folder, ok := strings.CutPrefix(name, "dir:"); ok {
		return client.FileFetcher{Root: folder}, true
	}
	transport := &http.Transport{}
	socket, isUnix := strings.CutPrefix(name, "unix:")
	if isUnix {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}
		name = "http://authority"
	} else {
		// What is read proves itself: the checkpoint is signed, and all else hashes to it.
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	root, err := url.Parse(name + "/log/")
	check(err)
	fetcher, err := client.NewHTTPFetcher(root, &http.Client{Transport: transport})
	check(err)
	return fetcher, isUnix
}

// Distinct checkpoints as they come, each consistent with the one before: the library's own tracker refuses others.
func watch(ctx context.Context, from source, verifier note.Verifier, count int) []log.Checkpoint {
	tracker, err := client.NewLogStateTracker(ctx, from.ReadTile, nil, verifier, verifier.Name(), client.UnilateralConsensus(from.ReadCheckpoint))
	check(err)
	seen := []log.Checkpoint{tracker.Latest()}
	for deadline := time.Now().Add(time.Minute); len(seen) < count; time.Sleep(5 * time.Millisecond) {
		_, _, _, err := tracker.Update(ctx)
		check(err)
		if latest := tracker.Latest(); latest.Size > seen[len(seen)-1].Size {
			seen = append(seen, latest)
		}
		if time.Now().After(deadline) {
			check(fmt.Errorf("only %d checkpoints in a minute", len(seen)))
		}
	}
	return seen
}

func proveConsistent(ctx context.Context, from source, seen []log.Checkpoint) int {
	pairs := 0
	for i, newer := range seen {
		builder, err := client.NewProofBuilder(ctx, newer.Size, from.ReadTile)
		check(err)
		for _, older := range seen[:i] {
			if older.Size == 0 {
				continue
			}
			nodes, err := builder.ConsistencyProof(ctx, older.Size, newer.Size)
			check(err)
			check(proof.VerifyConsistency(rfc6962.DefaultHasher, older.Size, newer.Size, nodes, older.Hash, newer.Hash))
			pairs++
		}
	}
	return pairs
}

func proveIncluded(ctx context.Context, from source, latest log.Checkpoint, hasRecords bool) int {
	leaves, err := client.FetchLeafHashes(ctx, from.ReadTile, 0, latest.Size, latest.Size)
	check(err)
	if hasRecords {
		compareRecords(ctx, from, latest, leaves)
	}
	builder, err := client.NewProofBuilder(ctx, latest.Size, from.ReadTile)
	check(err)
	for index, leaf := range leaves {
		nodes, err := builder.InclusionProof(ctx, uint64(index))
		check(err)
		check(proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), latest.Size, leaf, nodes, latest.Hash))
	}
	return len(leaves)
}

func compareRecords(ctx context.Context, from source, latest log.Checkpoint, leaves [][]byte) {
	index := 0
	for bundle := uint64(0); bundle*256 < latest.Size; bundle++ {
		entries, err := client.GetEntryBundle(ctx, from.ReadEntryBundle, bundle, latest.Size)
		check(err)
		for _, entry := range entries.Entries {
			if index < len(leaves) && !bytes.Equal(rfc6962.DefaultHasher.HashLeaf(entry), leaves[index]) {
				check(fmt.Errorf("entry %d does not have its hash", index))
			}
			index++
		}
	}
	if index < len(leaves) {
		check(fmt.Errorf("%d entries for %d hashes", index, len(leaves)))
	}
}

func main() {
	ctx := context.Background()
	key, err := os.ReadFile(os.Args[2])
	check(err)
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	check(err)
	count, err := strconv.Atoi(os.Args[3])
	check(err)
	from, hasRecords := open(os.Args[1])
	seen := watch(ctx, from, verifier, count)
	latest := seen[len(seen)-1]
	said, err := json.Marshal(map[string]any{"checkpoints": len(seen), "consistent_pairs": proveConsistent(ctx, from, seen),
		"included": proveIncluded(ctx, from, latest, hasRecords), "size": latest.Size, "root": hex.EncodeToString(latest.Hash)})
	check(err)
	fmt.Println(string(said))
}
