// Every elementary function, for float, double and complex: one header for the op table's functors.
#pragma once

#include "atrig_f64.h"
#include "complex_math.h"
#include "erf_f32.h"
#include "erf_f64.h"
#include "exp_f32.h"
#include "exp_f64.h"
#include "hyperbolic_f32.h"
#include "hyperbolic_f64.h"
#include "log_f32.h"
#include "log_f64.h"
#include "pow_f32.h"
#include "pow_f64.h"
#include "trig_f32.h"
#include "trig_f64.h"
