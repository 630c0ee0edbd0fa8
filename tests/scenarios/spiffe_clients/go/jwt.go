// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

func tellJWT(svid *jwtsvid.SVID) {
	tell(map[string]any{"id": svid.ID.String(), "audience": svid.Audience, "expires": svid.Expiry, "claims": svid.Claims, "token": svid.Marshal()})
}

// AUDIENCE, and the ID that is asked for or an empty text.
func fetchJWT(ctx context.Context, arguments []string) error {
	params := jwtsvid.Params{Audience: arguments[0]}
	if arguments[1] != "" {
		id, err := spiffeid.FromString(arguments[1])
		if err != nil {
			return err
		}
		params.Subject = id
	}
	svids, err := workloadapi.FetchJWTSVIDs(ctx, params)
	if err != nil {
		return err
	}
	for _, svid := range svids {
		tellJWT(svid)
	}
	return nil
}

func fetchJWTBundles(ctx context.Context, _ []string) error {
	set, err := workloadapi.FetchJWTBundles(ctx)
	if err != nil {
		return err
	}
	keys := map[string][]string{}
	for _, bundle := range set.Bundles() {
		for id := range bundle.JWTAuthorities() {
			keys[bundle.TrustDomain().Name()] = append(keys[bundle.TrustDomain().Name()], id)
		}
	}
	tell(keys)
	return nil
}

// TOKEN AUDIENCE: go-spiffe verifies, with the bundles it was given.
func verifyJWT(ctx context.Context, arguments []string) error {
	bundles, err := workloadapi.FetchJWTBundles(ctx)
	if err != nil {
		return err
	}
	svid, err := jwtsvid.ParseAndValidate(arguments[0], bundles, arguments[1:])
	if err != nil {
		return err
	}
	tellJWT(svid)
	return nil
}

// TOKEN AUDIENCE: the agent verifies.
func validateJWT(ctx context.Context, arguments []string) error {
	svid, err := workloadapi.ValidateJWTSVID(ctx, arguments[0], arguments[1])
	if err != nil {
		return err
	}
	tellJWT(svid)
	return nil
}
