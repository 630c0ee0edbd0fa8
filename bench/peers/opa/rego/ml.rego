# SPDX-License-Identifier: Apache-2.0
#
# Machine learning. One rule for each kind of policy; the policies are rows of data, found by the key that fewest share: `data.permits[pipeline]` and
# `data.unsigned[project]`. So no row is looked at that cannot apply, however many there are.
package ml

principal := data.entities[input.principal]

resource := data.entities[input.resource]

permits contains "policy0" if {
	startswith(input.principal, "Workload::")
	input.action == "read"
	startswith(input.resource, "Model::")
	resource.attrs.public
}

permits contains row.id if {
	input.action in {"read", "train"}
	some group, _ in principal.groups
	some row in data.permits[group]
	resource.groups[row.project]
	resource.attrs.tenant == principal.attrs.tenant
	input.context.purpose in {"train", "evaluate"}
	input.context.risk < 70
}

forbids contains "policy1" if {
	startswith(input.resource, "Dataset::")
	resource.attrs.embargoed
	not has_approver
}

has_approver if input.context.approver

forbids contains row.id if {
	input.action == "train"
	input.context.signed == false
	some project, _ in resource.groups
	some row in data.unsigned[project]
}
