// A vendor's library, opened at the first need behind a table of the functions that are called of
// it; nothing links one.
//
//   #define TANDEM_LT_CALLS(X) X(cublasLtCreate) X(cublasLtMatmul)
//   TANDEM_VENDOR_TABLE(Blas, "cublasLt", CUBLAS_VER_MAJOR, TANDEM_LT_CALLS)
//
// makes a struct Blas with a pointer of each call's name and `usable`: the library of that version
// was found and has them all.
#pragma once

namespace tandem::cuda {

/// libNAME.so.MAJOR: from the folder that TANDEM_VENDOR_LIBRARIES names, where it is set and has
/// one, else from where the system looks. Null where there is none.
void* open_library(const char* name, int major);
/// A function of it; null where it has none.
void* library_function(void* library, const char* name);

}  // namespace tandem::cuda

#define TANDEM_VENDOR_MEMBER(call) decltype(&::call) call = nullptr;
#define TANDEM_VENDOR_LOOKUP(call)                                                           \
  call = reinterpret_cast<decltype(call)>(::tandem::cuda::library_function(library, #call)); \
  usable = usable && (call) != nullptr;
#define TANDEM_VENDOR_TABLE(Table, name, major, calls)           \
  struct Table {                                                 \
    calls(TANDEM_VENDOR_MEMBER) bool usable = false;             \
    Table() {                                                    \
      void* library = ::tandem::cuda::open_library(name, major); \
      if (library == nullptr) return;                            \
      usable = true;                                             \
      calls(TANDEM_VENDOR_LOOKUP)                                \
    }                                                            \
  };
