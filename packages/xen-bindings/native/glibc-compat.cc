// A libstdc++.a that was built on glibc 2.38 or later asks for __isoc23_strtoul (its exception pool reads a tunable
// with it), and the addon would then refuse to load on Debian 12 (glibc 2.36). Defined here, hidden, it is resolved
// at link time to the strtoul that every glibc has. The label keeps the newer headers from renaming our own call.
extern "C" {

unsigned long xenpt_strtoul(const char*, char**, int) __asm__("strtoul");

__attribute__((visibility("hidden"))) unsigned long __isoc23_strtoul(const char* text, char** end, int base) {
  return xenpt_strtoul(text, end, base);
}

}  // extern "C"
