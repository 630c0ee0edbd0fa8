# SPDX-License-Identifier: Apache-2.0
#
# Task lists.
package tasks

principal := data.entities[input.principal]

resource := data.entities[input.resource]

is_list if startswith(input.resource, "List::")

permits contains "policy0" if {
	input.action in {"CreateList", "GetLists"}
	input.resource == "Application::TinyTodo"
}

permits contains "policy1" if {
	is_list
	resource.attrs.owner == input.principal
}

permits contains "policy2" if {
	is_list
	input.action == "GetList"
	may_see
}

permits contains "policy3" if {
	is_list
	input.action in {"UpdateList", "CreateTask", "UpdateTask"}
	principal.groups[resource.attrs.editors]
}

may_see if principal.groups[resource.attrs.readers]

may_see if principal.groups[resource.attrs.editors]

forbids := set()
