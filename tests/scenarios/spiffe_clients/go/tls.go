// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

// ID: answers each client that is ID with who it is, and goes on with the SVIDs that the source is pushed.
func serve(ctx context.Context, arguments []string) error {
	id, err := spiffeid.FromString(arguments[0])
	if err != nil {
		return err
	}
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return err
	}
	defer source.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", tlsconfig.MTLSServerConfig(source, source, tlsconfig.AuthorizeID(id)))
	if err != nil {
		return err
	}
	defer listener.Close()
	tell(map[string]string{"address": listener.Addr().String()})
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		answer(connection)
	}
}

func answer(connection net.Conn) {
	defer connection.Close()
	secured := connection.(*tls.Conn)
	if err := secured.Handshake(); err != nil {
		tellError(err)
		return
	}
	id, err := x509svid.IDFromCert(secured.ConnectionState().PeerCertificates[0])
	if err != nil {
		tellError(err)
		return
	}
	fmt.Fprintln(secured, id)
}

// ADDRESS ID: tells what the server said, if it is ID.
func dial(ctx context.Context, arguments []string) error {
	id, err := spiffeid.FromString(arguments[1])
	if err != nil {
		return err
	}
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return err
	}
	defer source.Close()
	svid, err := source.GetX509SVID()
	if err != nil {
		return err
	}
	dialer := tls.Dialer{Config: tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(id))}
	connection, err := dialer.DialContext(ctx, "tcp", arguments[0])
	if err != nil {
		return err
	}
	defer connection.Close()
	seen, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		return err
	}
	peer := connection.(*tls.Conn).ConnectionState().PeerCertificates[0]
	tell(map[string]string{"me": svid.ID.String(), "seen_as": seen[:len(seen)-1], "server_serial": peer.SerialNumber.Text(16)})
	return nil
}
