// SPDX-License-Identifier: Apache-2.0
//
// tlog-peer FOLDER [SECONDS]: Tessera's POSIX driver with 1, 8, 64 and 512 writers, each of whom waits for its record before it writes the
// next. An acknowledgement is an Add whose future has returned: Tessera has then synced the record's bundle, its tiles and the tree's state.
// CPU is the whole process's, the writers' share included, as in bench/tlog_append.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

const recordBytes = 400

// Its best known settings for latency at each number of writers: a batch as large as the writers can fill, and hardly any waiting.
func appender(ctx context.Context, folder string, writers uint) (*tessera.Appender, tessera.LogReader, func(context.Context) error) {
	secret, _, err := note.GenerateKey(rand.Reader, "example.org/log")
	check(err)
	signer, err := note.NewSigner(secret)
	check(err)
	driver, err := posix.New(ctx, posix.Config{Path: folder})
	check(err)
	// LIMIT: 100 ms is the shortest checkpoint interval that the driver takes.
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(max(writers, 1), time.Millisecond).WithCheckpointInterval(100 * time.Millisecond)
	added, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	check(err)
	return added, reader, shutdown
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func cpu() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func percentile(times []time.Duration, share float64) int64 {
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	return times[min(len(times)-1, int(share*float64(len(times))))].Microseconds()
}

// A record of its own each time: the driver may know one that it has seen.
func record(number uint64) []byte {
	bytes := make([]byte, recordBytes)
	copy(bytes, strconv.FormatUint(number, 10))
	return bytes
}

func run(folder string, writers int, length time.Duration) {
	ctx := context.Background()
	added, reader, shutdown := appender(ctx, filepath.Join(folder, strconv.Itoa(writers)), uint(writers))
	var number atomic.Uint64
	var lock sync.Mutex
	var times []time.Duration
	var wait sync.WaitGroup
	begin, cpuBefore := time.Now(), cpu()
	for range writers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			var mine []time.Duration
			for time.Since(begin) < length {
				start := time.Now()
				_, err := added.Add(ctx, tessera.NewEntry(record(number.Add(1))))()
				check(err)
				mine = append(mine, time.Since(start))
			}
			lock.Lock()
			times = append(times, mine...)
			lock.Unlock()
		}()
	}
	wait.Wait()
	elapsed, used := time.Since(begin), cpu()-cpuBefore
	count := len(times)
	fmt.Printf("%-8s %4d writers %10.0f records/s   p50 %8d us   p99 %8d us   CPU %7.2f us a record\n", "tessera", writers, float64(count)/elapsed.Seconds(),
		percentile(times, 0.50), percentile(times, 0.99), float64(used.Microseconds())/float64(count))
	if writers == 1 {
		measureProofs(ctx, added, reader, &number)
	}
	check(shutdown(ctx))
}

// From acknowledgement to a checkpoint that covers the record, one record at a time.
func measureProofs(ctx context.Context, added *tessera.Appender, reader tessera.LogReader, number *atomic.Uint64) {
	waiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, time.Millisecond)
	var times []time.Duration
	for range 20 {
		index, err := added.Add(ctx, tessera.NewEntry(record(number.Add(1))))()
		check(err)
		acknowledged := time.Now()
		_, _, err = waiter.Await(ctx, func() (tessera.Index, error) { return index, nil })
		check(err)
		times = append(times, time.Since(acknowledged))
	}
	fmt.Printf("%-36s p50 %8d us   p99 %8d us\n", "acknowledged to proven", percentile(times, 0.50), percentile(times, 0.99))
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: tlog-peer FOLDER [SECONDS]")
	}
	length := 5 * time.Second
	if len(os.Args) > 2 {
		seconds, err := strconv.Atoi(os.Args[2])
		check(err)
		length = time.Duration(seconds) * time.Second
	}
	for _, writers := range []int{1, 8, 64, 512} {
		run(os.Args[1], writers, length)
	}
}
