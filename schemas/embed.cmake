# Writes OUT: a C file with the table SYMBOL of the names and texts of FILES, ended by a row of NULLs.
set(body "")
foreach(file IN LISTS FILES)
	get_filename_component(name "${file}" NAME)
	file(READ "${file}" hex HEX)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
	string(MAKE_C_IDENTIFIER "text_${name}" id)
	string(APPEND body "static const char ${id}[] = { ${bytes}0 };\n")
	string(APPEND rows "\t{ \"${name}\", ${id} },\n")
endforeach()
file(WRITE "${OUT}" "${body}
extern const struct ${SYMBOL}_row { const char *name, *text; } ${SYMBOL}[];
const struct ${SYMBOL}_row ${SYMBOL}[] = {\n${rows}\t{ 0, 0 },\n};\n")
