// SPDX-License-Identifier: Apache-2.0

// A workload written with go-spiffe as its authors publish it. It finds the Workload API in SPIFFE_ENDPOINT_SOCKET and prints a JSON object a
// line; the test that started it does the judging.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc/status"
)

// How long a command that fetches once may take.
const patience = 20 * time.Second

type command struct {
	arguments int
	run       func(ctx context.Context, arguments []string) error
}

var commands = map[string]command{
	"x509":         {0, fetchX509},
	"x509-bundles": {0, fetchX509Bundles},
	"watch":        {0, watchX509},
	"jwt":          {2, fetchJWT},
	"jwt-bundles":  {0, fetchJWTBundles},
	"verify":       {2, verifyJWT},
	"validate":     {2, validateJWT},
	"serve":        {1, serve},
	"dial":         {2, dial},
	"bare":         {2, callBare},
}

// Commands that end when they are killed.
var lasting = map[string]bool{"watch": true, "serve": true}

func tell(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

func tellError(err error) {
	tell(map[string]string{"error": err.Error(), "code": status.Code(err).String()})
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]].run == nil || len(os.Args)-2 != commands[os.Args[1]].arguments {
		fmt.Fprintln(os.Stderr, "usage: client COMMAND ARGUMENT...")
		os.Exit(2)
	}
	ctx := context.Background()
	if !lasting[os.Args[1]] {
		limited, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		ctx = limited
	}
	if err := commands[os.Args[1]].run(ctx, os.Args[2:]); err != nil {
		tellError(err)
		os.Exit(1)
	}
}
