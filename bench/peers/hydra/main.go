// SPDX-License-Identifier: Apache-2.0

// Ory Hydra as it is released: `bench/token_exchange` starts it. Here so that its version stands in go.mod and nothing else has to be installed.
package main

import "github.com/ory/hydra/v2/cmd"

func main() { cmd.Execute() }
