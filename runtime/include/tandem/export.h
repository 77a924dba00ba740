// Symbol visibility: everything is hidden but what is marked.
#pragma once
#define TANDEM_API __attribute__((visibility("default")))
