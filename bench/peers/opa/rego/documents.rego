# SPDX-License-Identifier: Apache-2.0
#
# Document sharing. `data.entities[uid]` has an entity's attributes and `groups`: itself and all groups it is in, as a set of keys.
package documents

principal := data.entities[input.principal]

resource := data.entities[input.resource]

is_document if startswith(input.resource, "Document::")

permits contains "policy0" if {
	is_document
	input.action in {"view", "edit", "share", "delete"}
	input.principal == resource.attrs.owner
}

permits contains "policy1" if {
	is_document
	input.action == "view"
	principal.groups[resource.attrs.viewers]
}

permits contains "policy2" if {
	is_document
	input.action in {"view", "edit"}
	principal.groups[resource.attrs.editors]
}

permits contains "policy3" if {
	is_document
	input.action == "view"
	resource.attrs.isPublic
}

forbids contains "policy4" if {
	is_document
	input.action in {"edit", "share", "delete"}
	not input.context.authenticated
}

forbids contains "policy5" if {
	is_document
	input.principal in data.entities[resource.attrs.owner].attrs.blocked
}
