// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

func first[Message any](stream grpc.ServerStreamingClient[Message], err error) error {
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

// METHOD VALUE: go-spiffe's generated stub without its client, so the header that the client adds has VALUE, or is missing if that is empty.
func callBare(ctx context.Context, arguments []string) error {
	connection, err := grpc.NewClient(os.Getenv("SPIFFE_ENDPOINT_SOCKET"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	if arguments[1] != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "workload.spiffe.io", arguments[1])
	}
	api := workload.NewSpiffeWorkloadAPIClient(connection)
	switch arguments[0] {
	case "FetchX509SVID":
		err = first(api.FetchX509SVID(ctx, &workload.X509SVIDRequest{}))
	case "FetchX509Bundles":
		err = first(api.FetchX509Bundles(ctx, &workload.X509BundlesRequest{}))
	case "FetchJWTBundles":
		err = first(api.FetchJWTBundles(ctx, &workload.JWTBundlesRequest{}))
	case "FetchJWTSVID":
		_, err = api.FetchJWTSVID(ctx, &workload.JWTSVIDRequest{Audience: []string{"reports"}})
	case "ValidateJWTSVID":
		_, err = api.ValidateJWTSVID(ctx, &workload.ValidateJWTSVIDRequest{Audience: "reports", Svid: "x"})
	default:
		err = fmt.Errorf("no method %q", arguments[0])
	}
	if err == nil {
		tell(map[string]string{"answered": arguments[0]})
	}
	return err
}
