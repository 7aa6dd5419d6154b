// Made from src/optim by `./ci.sh generate`: do not edit.
//! Every optimizer with the names of its structure, fields and functions in C, and the same in Rust, where `epsilon` makes
//! the stabiliser of its form in C.

/// Calls `$call!` with all of them: type, structure, columns, kind in a file, functions, those of a half state, fields.
macro_rules! c_rules {
    ($call:ident!($($arguments:tt)*)) => {
        $call! {
            ($($arguments)*)
            Adam gradus_adam GRADUS_ADAM_COLUMNS GRADUS_ITEM_ADAM gradus_adam_default gradus_adam_check gradus_adam_check_with gradus_adam_step gradus_adam_step_with gradus_adam_step_if_finite gradus_adam_step_tensors gradus_adam_begin gradus_adam_begin_with [gradus_adam_half_step gradus_adam_half_step_with gradus_adam_half_begin gradus_adam_half_begin_with gradus_adam_half_step_tensors]
                { version lr beta1 beta2 eps bias_correction }
                (|c| Some(Adam { lr: c.lr, beta1: c.beta1, beta2: c.beta2, eps: epsilon(c.eps)?, bias_correction: c.bias_correction != 0 }));
            Sgd gradus_sgd GRADUS_SGD_COLUMNS GRADUS_ITEM_SGD gradus_sgd_default gradus_sgd_check gradus_sgd_check_with gradus_sgd_step gradus_sgd_step_with gradus_sgd_step_if_finite gradus_sgd_step_tensors gradus_sgd_begin gradus_sgd_begin_with []
                { version lr }
                (|c| Some(Sgd { lr: c.lr }));
            Momentum gradus_momentum GRADUS_MOMENTUM_COLUMNS GRADUS_ITEM_MOMENTUM gradus_momentum_default gradus_momentum_check gradus_momentum_check_with gradus_momentum_step gradus_momentum_step_with gradus_momentum_step_if_finite gradus_momentum_step_tensors gradus_momentum_begin gradus_momentum_begin_with [gradus_momentum_half_step gradus_momentum_half_step_with gradus_momentum_half_begin gradus_momentum_half_begin_with gradus_momentum_half_step_tensors]
                { version lr rho dampening }
                (|c| Some(Momentum { lr: c.lr, rho: c.rho, dampening: c.dampening }));
            Nesterov gradus_nesterov GRADUS_NESTEROV_COLUMNS GRADUS_ITEM_NESTEROV gradus_nesterov_default gradus_nesterov_check gradus_nesterov_check_with gradus_nesterov_step gradus_nesterov_step_with gradus_nesterov_step_if_finite gradus_nesterov_step_tensors gradus_nesterov_begin gradus_nesterov_begin_with [gradus_nesterov_half_step gradus_nesterov_half_step_with gradus_nesterov_half_begin gradus_nesterov_half_begin_with gradus_nesterov_half_step_tensors]
                { version lr rho }
                (|c| Some(Nesterov { lr: c.lr, rho: c.rho }));
            AdaGrad gradus_adagrad GRADUS_ADAGRAD_COLUMNS GRADUS_ITEM_ADAGRAD gradus_adagrad_default gradus_adagrad_check gradus_adagrad_check_with gradus_adagrad_step gradus_adagrad_step_with gradus_adagrad_step_if_finite gradus_adagrad_step_tensors gradus_adagrad_begin gradus_adagrad_begin_with [gradus_adagrad_half_step gradus_adagrad_half_step_with gradus_adagrad_half_begin gradus_adagrad_half_begin_with gradus_adagrad_half_step_tensors]
                { version lr eps }
                (|c| Some(AdaGrad { lr: c.lr, eps: epsilon(c.eps)? }));
            Adadelta gradus_adadelta GRADUS_ADADELTA_COLUMNS GRADUS_ITEM_ADADELTA gradus_adadelta_default gradus_adadelta_check gradus_adadelta_check_with gradus_adadelta_step gradus_adadelta_step_with gradus_adadelta_step_if_finite gradus_adadelta_step_tensors gradus_adadelta_begin gradus_adadelta_begin_with [gradus_adadelta_half_step gradus_adadelta_half_step_with gradus_adadelta_half_begin gradus_adadelta_half_begin_with gradus_adadelta_half_step_tensors]
                { version lr rho eps }
                (|c| Some(Adadelta { lr: c.lr, rho: c.rho, eps: c.eps }));
            RmsProp gradus_rmsprop GRADUS_RMSPROP_COLUMNS GRADUS_ITEM_RMSPROP gradus_rmsprop_default gradus_rmsprop_check gradus_rmsprop_check_with gradus_rmsprop_step gradus_rmsprop_step_with gradus_rmsprop_step_if_finite gradus_rmsprop_step_tensors gradus_rmsprop_begin gradus_rmsprop_begin_with [gradus_rmsprop_half_step gradus_rmsprop_half_step_with gradus_rmsprop_half_begin gradus_rmsprop_half_begin_with gradus_rmsprop_half_step_tensors]
                { version lr rho eps }
                (|c| Some(RmsProp { lr: c.lr, rho: c.rho, eps: epsilon(c.eps)? }));
            CenteredRmsProp gradus_centered_rmsprop GRADUS_CENTERED_RMSPROP_COLUMNS GRADUS_ITEM_CENTERED_RMSPROP gradus_centered_rmsprop_default gradus_centered_rmsprop_check gradus_centered_rmsprop_check_with gradus_centered_rmsprop_step gradus_centered_rmsprop_step_with gradus_centered_rmsprop_step_if_finite gradus_centered_rmsprop_step_tensors gradus_centered_rmsprop_begin gradus_centered_rmsprop_begin_with [gradus_centered_rmsprop_half_step gradus_centered_rmsprop_half_step_with gradus_centered_rmsprop_half_begin gradus_centered_rmsprop_half_begin_with gradus_centered_rmsprop_half_step_tensors]
                { version lr rho eps }
                (|c| Some(CenteredRmsProp { rmsprop: RmsProp { lr: c.lr, rho: c.rho, eps: epsilon(c.eps)? } }));
            RmsPropMomentum gradus_rmsprop_momentum GRADUS_RMSPROP_MOMENTUM_COLUMNS GRADUS_ITEM_RMSPROP_MOMENTUM gradus_rmsprop_momentum_default gradus_rmsprop_momentum_check gradus_rmsprop_momentum_check_with gradus_rmsprop_momentum_step gradus_rmsprop_momentum_step_with gradus_rmsprop_momentum_step_if_finite gradus_rmsprop_momentum_step_tensors gradus_rmsprop_momentum_begin gradus_rmsprop_momentum_begin_with [gradus_rmsprop_momentum_half_step gradus_rmsprop_momentum_half_step_with gradus_rmsprop_momentum_half_begin gradus_rmsprop_momentum_half_begin_with gradus_rmsprop_momentum_half_step_tensors]
                { version lr rho eps momentum }
                (|c| Some(RmsPropMomentum { rmsprop: RmsProp { lr: c.lr, rho: c.rho, eps: epsilon(c.eps)? }, momentum: c.momentum }));
            CenteredRmsPropMomentum gradus_centered_rmsprop_momentum GRADUS_CENTERED_RMSPROP_MOMENTUM_COLUMNS GRADUS_ITEM_CENTERED_RMSPROP_MOMENTUM gradus_centered_rmsprop_momentum_default gradus_centered_rmsprop_momentum_check gradus_centered_rmsprop_momentum_check_with gradus_centered_rmsprop_momentum_step gradus_centered_rmsprop_momentum_step_with gradus_centered_rmsprop_momentum_step_if_finite gradus_centered_rmsprop_momentum_step_tensors gradus_centered_rmsprop_momentum_begin gradus_centered_rmsprop_momentum_begin_with [gradus_centered_rmsprop_momentum_half_step gradus_centered_rmsprop_momentum_half_step_with gradus_centered_rmsprop_momentum_half_begin gradus_centered_rmsprop_momentum_half_begin_with gradus_centered_rmsprop_momentum_half_step_tensors]
                { version lr rho eps momentum }
                (|c| Some(CenteredRmsPropMomentum { rmsprop: RmsProp { lr: c.lr, rho: c.rho, eps: epsilon(c.eps)? }, momentum: c.momentum }));
            AdamW gradus_adamw GRADUS_ADAMW_COLUMNS GRADUS_ITEM_ADAMW gradus_adamw_default gradus_adamw_check gradus_adamw_check_with gradus_adamw_step gradus_adamw_step_with gradus_adamw_step_if_finite gradus_adamw_step_tensors gradus_adamw_begin gradus_adamw_begin_with [gradus_adamw_half_step gradus_adamw_half_step_with gradus_adamw_half_begin gradus_adamw_half_begin_with gradus_adamw_half_step_tensors]
                { version lr beta1 beta2 eps weight_decay }
                (|c| Some(AdamW { lr: c.lr, beta1: c.beta1, beta2: c.beta2, eps: epsilon(c.eps)?, weight_decay: c.weight_decay }));
            Adamax gradus_adamax GRADUS_ADAMAX_COLUMNS GRADUS_ITEM_ADAMAX gradus_adamax_default gradus_adamax_check gradus_adamax_check_with gradus_adamax_step gradus_adamax_step_with gradus_adamax_step_if_finite gradus_adamax_step_tensors gradus_adamax_begin gradus_adamax_begin_with [gradus_adamax_half_step gradus_adamax_half_step_with gradus_adamax_half_begin gradus_adamax_half_begin_with gradus_adamax_half_step_tensors]
                { version lr beta1 beta2 eps }
                (|c| Some(Adamax { lr: c.lr, beta1: c.beta1, beta2: c.beta2, eps: c.eps }));
            AmsGrad gradus_amsgrad GRADUS_AMSGRAD_COLUMNS GRADUS_ITEM_AMSGRAD gradus_amsgrad_default gradus_amsgrad_check gradus_amsgrad_check_with gradus_amsgrad_step gradus_amsgrad_step_with gradus_amsgrad_step_if_finite gradus_amsgrad_step_tensors gradus_amsgrad_begin gradus_amsgrad_begin_with []
                { version lr beta1 beta2 eps }
                (|c| Some(AmsGrad { lr: c.lr, beta1: c.beta1, beta2: c.beta2, eps: epsilon(c.eps)? }));
            Nadam gradus_nadam GRADUS_NADAM_COLUMNS GRADUS_ITEM_NADAM gradus_nadam_default gradus_nadam_check gradus_nadam_check_with gradus_nadam_step gradus_nadam_step_with gradus_nadam_step_if_finite gradus_nadam_step_tensors gradus_nadam_begin gradus_nadam_begin_with [gradus_nadam_half_step gradus_nadam_half_step_with gradus_nadam_half_begin gradus_nadam_half_begin_with gradus_nadam_half_step_tensors]
                { version lr beta1 beta2 eps momentum_decay }
                (|c| Some(Nadam { lr: c.lr, beta1: c.beta1, beta2: c.beta2, eps: epsilon(c.eps)?, momentum_decay: c.momentum_decay }));
            RAdam gradus_radam GRADUS_RADAM_COLUMNS GRADUS_ITEM_RADAM gradus_radam_default gradus_radam_check gradus_radam_check_with gradus_radam_step gradus_radam_step_with gradus_radam_step_if_finite gradus_radam_step_tensors gradus_radam_begin gradus_radam_begin_with [gradus_radam_half_step gradus_radam_half_step_with gradus_radam_half_begin gradus_radam_half_begin_with gradus_radam_half_step_tensors]
                { version lr beta1 beta2 eps }
                (|c| Some(RAdam { lr: c.lr, beta1: c.beta1, beta2: c.beta2, eps: epsilon(c.eps)? }));
            Lion gradus_lion GRADUS_LION_COLUMNS GRADUS_ITEM_LION gradus_lion_default gradus_lion_check gradus_lion_check_with gradus_lion_step gradus_lion_step_with gradus_lion_step_if_finite gradus_lion_step_tensors gradus_lion_begin gradus_lion_begin_with [gradus_lion_half_step gradus_lion_half_step_with gradus_lion_half_begin gradus_lion_half_begin_with gradus_lion_half_step_tensors]
                { version lr beta1 beta2 weight_decay }
                (|c| Some(Lion { lr: c.lr, beta1: c.beta1, beta2: c.beta2, weight_decay: c.weight_decay }));
            ScheduleFree gradus_schedulefree GRADUS_SCHEDULEFREE_COLUMNS GRADUS_ITEM_SCHEDULEFREE gradus_schedulefree_default gradus_schedulefree_check gradus_schedulefree_check_with gradus_schedulefree_step gradus_schedulefree_step_with gradus_schedulefree_step_if_finite gradus_schedulefree_step_tensors gradus_schedulefree_begin gradus_schedulefree_begin_with []
                { version lr beta1 beta2 eps weight_decay }
                (|c| Some(ScheduleFree { lr: c.lr, beta1: c.beta1, beta2: c.beta2, eps: epsilon(c.eps)?, weight_decay: c.weight_decay }));
        }
    };
}
pub(crate) use c_rules;
