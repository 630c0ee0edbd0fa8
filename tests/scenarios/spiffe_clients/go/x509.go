// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

type svidLine struct {
	ID       string    `json:"id"`
	Serial   string    `json:"serial"`
	Begins   time.Time `json:"begins"`
	Expires  time.Time `json:"expires"`
	Verified string    `json:"verified"` // the ID that go-spiffe's own verification against the bundle found, or its error
}

func describe(svid *x509svid.SVID, bundles x509bundle.Source) svidLine {
	leaf := svid.Certificates[0]
	line := svidLine{ID: svid.ID.String(), Serial: leaf.SerialNumber.Text(16), Begins: leaf.NotBefore, Expires: leaf.NotAfter}
	if id, _, err := x509svid.Verify(svid.Certificates, bundles); err != nil {
		line.Verified = err.Error()
	} else {
		line.Verified = id.String()
	}
	return line
}

func describeContext(found *workloadapi.X509Context) map[string]any {
	var svids []svidLine
	for _, svid := range found.SVIDs {
		svids = append(svids, describe(svid, found.Bundles))
	}
	return map[string]any{"svids": svids, "bundles": describeBundles(found.Bundles)}
}

func describeBundles(set *x509bundle.Set) map[string][]string {
	authorities := map[string][]string{}
	for _, bundle := range set.Bundles() {
		authorities[bundle.TrustDomain().Name()] = encoded(bundle.X509Authorities())
	}
	return authorities
}

func encoded(certificates []*x509.Certificate) []string {
	var texts []string
	for _, certificate := range certificates {
		texts = append(texts, base64.StdEncoding.EncodeToString(certificate.Raw))
	}
	return texts
}

func fetchX509(ctx context.Context, _ []string) error {
	found, err := workloadapi.FetchX509Context(ctx)
	if err != nil {
		return err
	}
	tell(describeContext(found))
	return nil
}

func fetchX509Bundles(ctx context.Context, _ []string) error {
	set, err := workloadapi.FetchX509Bundles(ctx)
	if err != nil {
		return err
	}
	tell(describeBundles(set))
	return nil
}

// Tells each update, and each error that go-spiffe tries again after.
type teller struct{}

func (teller) OnX509ContextUpdate(found *workloadapi.X509Context) { tell(describeContext(found)) }
func (teller) OnX509ContextWatchError(err error)                  { tellError(err) }

func watchX509(ctx context.Context, _ []string) error {
	return workloadapi.WatchX509Context(ctx, teller{})
}
