// SPDX-License-Identifier: Apache-2.0

// opa-peer DIR [--answers | --seconds S]: the suites of bench/cedar_decide through Open Policy Agent. Queries are prepared and inputs parsed
// beforehand, the store holds values as the evaluator has them; only the evaluation is measured. With --answers each decision is printed instead,
// to be compared with ours.
package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

//go:embed rego/*.rego
var modules embed.FS

// decision is the same for all suites: a forbid wins over permits, as in Cedar.
const decision = `package decision

module := data.%s

answer := {"allow": false, "policies": module.forbids} if count(module.forbids) > 0

else := {"allow": true, "policies": module.permits} if count(module.permits) > 0

else := {"allow": false, "policies": set()}
`

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "opa-peer:", err)
		os.Exit(1)
	}
}

func prepare(one suite) rego.PreparedEvalQuery {
	text, err := modules.ReadFile("rego/" + one.module + ".rego")
	fail(err)
	store := inmem.NewFromObjectWithOpts(one.data, inmem.OptRoundTripOnWrite(false), inmem.OptReturnASTValuesOnRead(true))
	query, err := rego.New(
		rego.Query("data.decision.answer"),
		rego.Module(one.module+".rego", string(text)),
		rego.Module("decision.rego", fmt.Sprintf(decision, one.module)),
		rego.Store(store),
	).PrepareForEval(context.Background())
	fail(err)
	return query
}

func parsed(one suite) []ast.Value {
	values := make([]ast.Value, len(one.inputs))
	for i, input := range one.inputs {
		value, err := ast.InterfaceToValue(input)
		fail(err)
		values[i] = value
	}
	return values
}

func evaluate(query rego.PreparedEvalQuery, input ast.Value) (bool, []string) {
	results, err := query.Eval(context.Background(), rego.EvalParsedInput(input))
	fail(err)
	if len(results) != 1 {
		fail(fmt.Errorf("%d results", len(results)))
	}
	answer := results[0].Expressions[0].Value.(map[string]any)
	var policies []string
	for _, id := range answer["policies"].([]any) {
		policies = append(policies, id.(string))
	}
	return answer["allow"].(bool), policies
}

func printAnswers(one suite) {
	query := prepare(one)
	for _, input := range parsed(one) {
		allow, policies := evaluate(query, input)
		sort.Strings(policies)
		word := "deny"
		if allow {
			word = "allow"
		}
		fmt.Printf("%s %s %s errors \n", one.name, word, strings.Join(policies, ","))
	}
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	fail(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measure decides for so long, on one request after the other. CPU is the process's: what its collector of garbage takes is a decision's cost too.
func measure(one suite, length time.Duration) {
	query, inputs := prepare(one), parsed(one)
	for _, input := range inputs {
		evaluate(query, input)
	}
	runtime.GC()
	var before, after runtime.MemStats
	var samples []time.Duration
	runtime.ReadMemStats(&before)
	cpu, begin := processorTime(), time.Now()
	for i := 0; time.Since(begin) < length || i < 100; i++ {
		input := inputs[i%len(inputs)]
		from := time.Now()
		evaluate(query, input)
		samples = append(samples, time.Since(from))
	}
	cpu = processorTime() - cpu
	runtime.ReadMemStats(&after)
	sort.Slice(samples, func(i, j int) bool { return samples[i] < samples[j] })
	count := len(samples)
	fmt.Printf("%-14s policies %6d  p50 %9d ns  p99 %9d ns  CPU %9d ns  allocations %6d\n", one.name, one.policies, samples[count/2].Nanoseconds(),
		samples[count*99/100].Nanoseconds(), cpu.Nanoseconds()/int64(count), (after.Mallocs-before.Mallocs)/uint64(count))
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: opa-peer DIR [--answers | --seconds S]"))
	}
	suites, err := readSuites(os.Args[1])
	fail(err)
	seconds := 1.0
	if len(os.Args) == 4 && os.Args[2] == "--seconds" {
		seconds, err = strconv.ParseFloat(os.Args[3], 64)
		fail(err)
	}
	for _, one := range suites {
		if len(os.Args) == 3 && os.Args[2] == "--answers" {
			printAnswers(one)
		} else {
			measure(one, time.Duration(seconds*float64(time.Second)))
		}
	}
}
