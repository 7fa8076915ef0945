[(block) (dict) (list) (closure) (arguments) (parameters) (struct_declaration) (enum_declaration) (interface_declaration) (impl_declaration) (match_expression)] @indent.begin
["}" "]" ")"] @indent.branch @indent.end
