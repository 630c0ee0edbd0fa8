# SPDX-License-Identifier: Apache-2.0
#
# Code hosting.
package code

principal := data.entities[input.principal]

resource := data.entities[input.resource]

is_repository if startswith(input.resource, "Repository::")

is_issue if startswith(input.resource, "Issue::")

repository := data.entities[resource.attrs.repo]

permits contains "policy0" if {
	is_repository
	input.action in {"pull", "fork"}
	principal.groups[resource.attrs.readers]
}

permits contains "policy1" if {
	is_repository
	input.action == "push"
	principal.groups[resource.attrs.writers]
}

permits contains "policy2" if {
	is_repository
	input.action in {"add_reader", "add_writer"}
	principal.groups[resource.attrs.admins]
}

permits contains "policy3" if {
	is_issue
	input.action == "delete_issue"
	principal.groups[repository.attrs.readers]
	input.principal == resource.attrs.reporter
}

permits contains "policy4" if {
	is_issue
	input.action == "edit_issue"
	principal.groups[repository.attrs.writers]
}

forbids := set()
