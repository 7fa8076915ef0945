[(block) (dict) (list) (closure) (arguments) (struct_declaration) (enum_declaration) (interface_declaration) (impl_declaration) (match_expression) (triple_string) (block_comment)] @fold
