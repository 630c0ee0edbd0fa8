// SPDX-License-Identifier: Apache-2.0
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

type uid struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

func (u uid) key() string { return u.Type + "::" + u.ID }

type entity struct {
	UID     uid            `json:"uid"`
	Attrs   map[string]any `json:"attrs"`
	Parents []uid          `json:"parents"`
}

type request struct {
	Principal uid            `json:"principal"`
	Action    uid            `json:"action"`
	Resource  uid            `json:"resource"`
	Context   map[string]any `json:"context"`
}

func read(path string, into any) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.UseNumber()
	return decoder.Decode(into)
}

// plain is a Cedar value as Rego has it: an entity is named by one text.
func plain(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if inner, ok := value["__entity"].(map[string]any); ok {
			return uid{inner["type"].(string), inner["id"].(string)}.key()
		}
		made := map[string]any{}
		for name, member := range value {
			made[name] = plain(member)
		}
		return made
	case []any:
		made := make([]any, len(value))
		for i, element := range value {
			made[i] = plain(element)
		}
		return made
	}
	return value
}

// entities of a suite, each with the groups it is in, near and far, and itself: what a bundle would hold.
func entityData(list []entity) map[string]any {
	parents := map[string][]string{}
	for _, one := range list {
		for _, parent := range one.Parents {
			parents[one.UID.key()] = append(parents[one.UID.key()], parent.key())
		}
	}
	data := map[string]any{}
	for _, one := range list {
		groups := map[string]any{}
		var visit func(string)
		visit = func(name string) {
			if groups[name] != nil {
				return
			}
			groups[name] = true
			for _, parent := range parents[name] {
				visit(parent)
			}
		}
		visit(one.UID.key())
		data[one.UID.key()] = map[string]any{"attrs": plain(one.Attrs), "groups": groups}
	}
	return data
}

var (
	projectRule = regexp.MustCompile(`^permit \(principal in Pipeline::"([^"]*)", action in \[Action::"read", Action::"train"\], resource in Project::"([^"]*)"\) ` +
		`when \{ resource\.tenant == principal\.tenant && \["train", "evaluate"\]\.contains\(context\.purpose\) && context\.risk < 70 \};$`)
	unsignedRule = regexp.MustCompile(`^forbid \(principal, action == Action::"train", resource in Project::"([^"]*)"\) ` +
		`when \{ context has signed && !context\.signed \};$`)
)

// policyData makes rows of the policies that differ only in names. The first two are rules of their own in ml.rego.
func policyData(text string) (permits, unsigned map[string]any, count int, err error) {
	permits, unsigned = map[string]any{}, map[string]any{}
	add := func(to map[string]any, key string, row map[string]any) {
		rows, _ := to[key].([]any)
		to[key] = append(rows, row)
	}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		id := fmt.Sprintf("policy%d", i)
		count++
		if i < 2 {
			continue
		}
		if found := projectRule.FindStringSubmatch(line); found != nil {
			add(permits, "Pipeline::"+found[1], map[string]any{"id": id, "project": "Project::" + found[2]})
		} else if found := unsignedRule.FindStringSubmatch(line); found != nil {
			add(unsigned, "Project::"+found[1], map[string]any{"id": id})
		} else {
			return nil, nil, 0, fmt.Errorf("policy %d has a form that there is no rule for: %s", i, line)
		}
	}
	return permits, unsigned, count, nil
}

type suite struct {
	name     string
	module   string // documents, code, tasks, ml
	policies int
	data     map[string]any
	inputs   []map[string]any
}

func readSuite(folder string) (suite, error) {
	made := suite{name: filepath.Base(folder), module: strings.SplitN(filepath.Base(folder), "-", 2)[0]}
	var entities []entity
	var requests []request
	if err := read(filepath.Join(folder, "entities.json"), &entities); err != nil {
		return made, err
	}
	if err := read(filepath.Join(folder, "requests.json"), &requests); err != nil {
		return made, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "policies.cedar"))
	if err != nil {
		return made, err
	}
	made.data = map[string]any{"entities": entityData(entities)}
	made.policies = strings.Count(string(text), ";\n")
	if made.module == "ml" {
		permits, unsigned, count, err := policyData(string(text))
		if err != nil {
			return made, err
		}
		made.data["permits"], made.data["unsigned"], made.policies = permits, unsigned, count
	}
	for _, one := range requests {
		made.inputs = append(made.inputs, map[string]any{
			"principal": one.Principal.key(), "action": one.Action.ID, "resource": one.Resource.key(), "context": plain(one.Context)})
	}
	return made, nil
}

func readSuites(directory string) ([]suite, error) {
	folders, err := filepath.Glob(filepath.Join(directory, "*"))
	if err != nil {
		return nil, err
	}
	sort.Strings(folders)
	var suites []suite
	for _, folder := range folders {
		made, err := readSuite(folder)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
		suites = append(suites, made)
	}
	return suites, nil
}
