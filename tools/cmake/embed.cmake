# cmake -DOUT=FILE -DROOT=DIR -DFILES=a;b -P embed.cmake: a C++ file with the texts of files, which programs compiled at
# run time include (runtime/source). A file's name is that by which it is included.
set(text "// Made by tools/cmake/embed.cmake.\n#include \"runtime/source/headers.h\"\n\n"
  "namespace tandem::source {\n\nstd::span<const Header> headers() {\n  static const Header all[] = {\n")
foreach(file IN LISTS FILES)
  file(READ ${ROOT}/${file} content)
  string(REGEX REPLACE "^(runtime|kernels)/include/" "" name ${file})
  string(APPEND text "{\"${name}\", R\"TANDEM_TEXT(${content})TANDEM_TEXT\"},\n")
endforeach()
string(APPEND text "  };\n  return all;\n}\n\n}  // namespace tandem::source\n")
file(WRITE ${OUT} "${text}")
