// What the kernel has mapped of the program's own files.
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "classes.h"

namespace xenpt {
namespace {

/** Segments that can be written are left alone: what the dynamic linker has put into them is in no file. */
int DropReadOnlySegments(dl_phdr_info* object, size_t, void* dropped) {
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int index = 0; index < object->dlpi_phnum; ++index) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[index];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const uintptr_t start = (object->dlpi_addr + segment.p_vaddr + page - 1) & ~(page - 1);
    const uintptr_t end = (object->dlpi_addr + segment.p_vaddr + segment.p_filesz) & ~(page - 1);
    if (start >= end) continue;
    if (madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED) == 0) {
      *static_cast<double*>(dropped) += static_cast<double>(end - start);
    }
  }
  return 0;
}

/** (): how many bytes of text and constants are no longer mapped; the kernel maps again what is used of them. */
Napi::Value DropProgramPages(const Napi::CallbackInfo& info) {
  double dropped = 0;
  dl_iterate_phdr(DropReadOnlySegments, &dropped);
  return Napi::Number::New(info.Env(), dropped);
}

}  // namespace

Napi::Function DefineDropProgramPages(Napi::Env env) {
  return Napi::Function::New<DropProgramPages>(env, "dropProgramPages");
}

}  // namespace xenpt
