(* The convolution and its two gradients, over any commutative ring and for every shape: any
   numbers of images, channels and filters, and any stride, padding and dilation but where a
   theorem says [valid], which is stride 1 without padding. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* One axis, rows or columns: the image has [size] entries there, the kernel [taps], the output
   [outputs]; [padding] zeros stand before the image and after it. *)
Record axis := Axis
  { size : nat; taps : nat; outputs : nat; stride : nat; dilation : nat; padding : nat }.

(* The "valid" convolution, which the suite checks: stride and dilation 1, no padding. *)
Definition valid (H h : nat) : axis := Axis H h (H.+1 - h) 1 1 0.

(* The "full" one, of an upstream gradient with p entries: h - 1 zeros on either side. *)
Definition full (p h : nat) : axis := Axis p h (p + h.-1) 1 1 h.-1.

(* Kernel and output change parts, and with them dilation and stride. *)
Definition exchanged (r : axis) : axis :=
  Axis (size r) (outputs r) (taps r) (dilation r) (stride r) (padding r).

(* Where output i meets entry a of the kernel, counted from the first zero of the padding. A true
   convolution flips the kernel, a cross-correlation does not. *)
Definition place (flips : bool) (r : axis) (i a : nat) : nat :=
  (stride r * i + dilation r * (if flips then taps r - a.+1 else a))%N.

Section Definitions.
Variables (R : comRingType) (N C F : finType) (flips : bool) (rows cols : axis).
Implicit Types (y : nat -> nat -> R) (x : N -> C -> nat -> nat -> R).
Implicit Types (k : F -> C -> nat -> nat -> R) (u : N -> F -> nat -> nat -> R).

(* y with its padding: 0 outside, on all sides and without end. *)
Definition padded y (i j : nat) : R :=
  if (padding rows <= i < padding rows + size rows)%N
     && (padding cols <= j < padding cols + size cols)%N
  then y (i - padding rows)%N (j - padding cols)%N else 0.

(* rot90(y, 2) for y of shape h x w. *)
Definition turned (h w : nat) y (a b : nat) : R := y (h - a.+1)%N (w - b.+1)%N.

(* conv2d(image, kernel)[i,j] = sum of image[i+h-1-a, j+w-1-b] kernel[a,b] where the axes are valid;
   a cross-correlation has image[i+a, j+b]. *)
Definition conv2d x k n f i j : R :=
  \sum_c \sum_(a < taps rows) \sum_(b < taps cols)
    padded (x n c) (place flips rows i a) (place flips cols j b) * k f c a b.

(* The kernel's gradient: the sum of upstream[i,j] dy[i,j]/dkernel[a,b]. *)
Definition conv2d_kernel_gradient x u f c a b : R :=
  \sum_n \sum_(i < outputs rows) \sum_(j < outputs cols)
    padded (x n c) (place flips rows i a) (place flips cols j b) * u n f i j.

(* The image's gradient: the sum of upstream[i,j] dy[i,j]/dimage[m,l]. *)
Definition conv2d_image_gradient k u n c (m l : nat) : R :=
  \sum_f \sum_(i < outputs rows) \sum_(j < outputs cols) \sum_(a < taps rows) \sum_(b < taps cols)
    if (place flips rows i a == padding rows + m)%N
       && (place flips cols j b == padding cols + l)%N
    then u n f i j * k f c a b else 0.

End Definitions.

Section Theorems.
Variables (R : comRingType) (N C F : finType).
Implicit Types (flips : bool) (rows cols : axis) (x : N -> C -> nat -> nat -> R).
Implicit Types (k : F -> C -> nat -> nat -> R) (u : N -> F -> nat -> nat -> R).

(* Three sums change places with three others. *)
Lemma exchange_big3 (A1 A2 A3 B1 B2 B3 : finType) (t : A1 -> A2 -> A3 -> B1 -> B2 -> B3 -> R) :
  \sum_a1 \sum_a2 \sum_a3 \sum_b1 \sum_b2 \sum_b3 t a1 a2 a3 b1 b2 b3
  = \sum_b1 \sum_b2 \sum_b3 \sum_a1 \sum_a2 \sum_a3 t a1 a2 a3 b1 b2 b3.
Proof.
rewrite 2!pair_bigA exchange_big; apply: eq_bigr => b1 _.
rewrite exchange_big; apply: eq_bigr => b2 _.
by rewrite exchange_big; apply: eq_bigr => b3 _; rewrite !pair_bigA.
Qed.

(* A factor goes into three sums. *)
Lemma mulr_sumr3 (A1 A2 A3 : finType) (t : A1 -> A2 -> A3 -> R) r :
  r * (\sum_a1 \sum_a2 \sum_a3 t a1 a2 a3) = \sum_a1 \sum_a2 \sum_a3 r * t a1 a2 a3.
Proof. by rewrite !pair_bigA mulr_sumr. Qed.

(* <conv2d(image, kernel), upstream> = <kernel, kernel gradient>. *)
Theorem kernel_gradient_is_the_adjoint flips rows cols x k u :
  \sum_n \sum_f \sum_(i < outputs rows) \sum_(j < outputs cols)
    conv2d flips rows cols x k n f i j * u n f i j
  = \sum_f \sum_c \sum_(a < taps rows) \sum_(b < taps cols)
      k f c a b * conv2d_kernel_gradient flips rows cols x u f c a b.
Proof.
rewrite exchange_big; apply: eq_bigr => f _.
under eq_bigr do under eq_bigr do under eq_bigr do rewrite mulrC mulr_sumr3.
rewrite exchange_big3; apply: eq_bigr => c _; apply: eq_bigr => a _; apply: eq_bigr => b _.
rewrite mulr_sumr3; apply: eq_bigr => n _; apply: eq_bigr => i _; apply: eq_bigr => j _.
by rewrite mulrC mulrAC mulrC.
Qed.

(* The padded image as a sum over the entries of the image. *)
Lemma paddedE rows cols (y : nat -> nat -> R) i j :
  padded rows cols y i j = \sum_(m < size rows) \sum_(l < size cols)
    if (i == padding rows + m)%N && (j == padding cols + l)%N then y m l else 0.
Proof.
have single n p q (g : nat -> R) :
    \sum_(m < n) (if (q == p + m)%N then g m else 0)
    = if (p <= q < p + n)%N then g (q - p)%N else 0.
  rewrite -big_mkcond; case: ifP => [/andP[pq qn]|q_out].
    have m_lt : (q - p < n)%N by rewrite ltn_subLR.
    rewrite (big_pred1 (Ordinal m_lt)) // => m.
    by rewrite /= -val_eqE /= -[RHS](eqn_add2l p) subnKC // eq_sym.
  by rewrite big1 // => m /eqP q_m; rewrite q_m leq_addr ltn_add2l ltn_ord in q_out.
pose row m := \sum_(l < size cols) if (j == padding cols + l)%N then y m l else 0.
transitivity (\sum_(m < size rows) if (i == padding rows + m)%N then row m else 0).
  by rewrite single /row single /padded; case: (_ <= i < _)%N.
by apply: eq_bigr => m _; case: (i == _); last by rewrite big1.
Qed.

(* <conv2d(image, kernel), upstream> = <image, image gradient>. *)
Theorem image_gradient_is_the_adjoint flips rows cols x k u :
  \sum_n \sum_f \sum_(i < outputs rows) \sum_(j < outputs cols)
    conv2d flips rows cols x k n f i j * u n f i j
  = \sum_n \sum_c \sum_(m < size rows) \sum_(l < size cols)
      x n c m l * conv2d_image_gradient flips rows cols k u n c m l.
Proof.
apply: eq_bigr => n _.
under [RHS]eq_bigr do under eq_bigr do under eq_bigr do rewrite mulr_sumr3.
rewrite -exchange_big3; apply: eq_bigr => f _; apply: eq_bigr => i _; apply: eq_bigr => j _.
rewrite mulr_suml; apply: eq_bigr => c _.
under [RHS]eq_bigr do under eq_bigr do rewrite pair_bigA mulr_sumr.
rewrite pair_bigA mulr_suml [RHS]pair_bigA exchange_big; apply: eq_bigr => -[a b] _.
rewrite paddedE pair_bigA -mulrA mulr_suml; apply: eq_bigr => -[m l] _ /=.
by case: ifP; rewrite ?mul0r ?mulr0 // [k _ _ _ _ * _]mulrC.
Qed.

(* The kernel's gradient is rot90(convolve(image, rot90(upstream, 2)), 2), a cross-correlation's
   that without the outer rotation. Images take the part of channels; where there is a stride,
   upstream is dilated by it. *)
Theorem kernel_gradient_is_the_rot90_form flips rows cols x u f c a b :
  conv2d_kernel_gradient flips rows cols x u f c a b
  = (if flips then turned (taps rows) (taps cols) else id)
      (conv2d true (exchanged rows) (exchanged cols) (fun c n => x n c)
              (fun f n => turned (outputs rows) (outputs cols) (u n f)) c f) a b.
Proof.
case: flips; apply: eq_bigr => n _; rewrite (reindex_inj rev_ord_inj);
  apply: eq_bigr => i _; rewrite (reindex_inj rev_ord_inj); apply: eq_bigr => j _;
  by congr (padded _ _ _ _ _ * _); apply: addnC.
Qed.

(* Entry a of the kernel pairs output i with the image's entry m in the valid convolution exactly
   where it pairs the two in the full correlation. *)
Lemma full_place flips (H h i a m : nat) : (a < h)%N ->
  (place flips (valid H h) i a == 0 + m)%N
  = (place (~~ flips) (full (H.+1 - h) h) m a == h.-1 + i)%N.
Proof.
move/subnKC <-; rewrite /place /= !mul1n addKn eq_sym; case: flips => /=.
  by rewrite [(m + a)%N]addnC -addnA eqn_add2l [(_ + i)%N]addnC.
by rewrite addnAC eqn_add2r [(a + i)%N]addnC.
Qed.

(* The image's gradient is the full cross-correlation of upstream and kernel, a cross-correlation's
   the full convolution. Filters take the part of channels. *)
Theorem image_gradient_is_the_full_correlation flips (H W h w : nat) k u n c m l :
  conv2d_image_gradient flips (valid H h) (valid W w) k u n c m l
  = conv2d (~~ flips) (full (H.+1 - h) h) (full (W.+1 - w) w) u (fun c f => k f c) n c m l.
Proof.
apply: eq_bigr => f _; rewrite pair_bigA; under eq_bigr do rewrite pair_bigA.
rewrite exchange_big [RHS]pair_bigA; apply: eq_bigr => -[a b] _.
rewrite paddedE pair_bigA mulr_suml; apply: eq_bigr => -[i j] _ /=.
by rewrite !full_place ?ltn_ord //; case: ifP; rewrite ?mul0r.
Qed.

(* A sum is linear. *)
Lemma sum_is_linear (A : finType) (s t : A -> R) r :
  \sum_a (r * s a + t a) = r * (\sum_a s a) + \sum_a t a.
Proof. by rewrite big_split mulr_sumr. Qed.

(* conv2d is linear in the image and in the kernel. *)
Theorem conv2d_is_bilinear flips rows cols x x' k k' (r : R) n f i j :
  conv2d flips rows cols (fun n c i j => r * x n c i j + x' n c i j) k n f i j
  = r * conv2d flips rows cols x k n f i j + conv2d flips rows cols x' k n f i j
  /\ conv2d flips rows cols x (fun f c a b => r * k f c a b + k' f c a b) n f i j
     = r * conv2d flips rows cols x k n f i j + conv2d flips rows cols x k' n f i j.
Proof.
split; do 3!(rewrite -sum_is_linear; apply: eq_bigr => ? _); last by rewrite mulrDr mulrCA.
by rewrite /padded; case: ifP => _; rewrite ?mulrDl ?mulrA // mulr0 !mul0r addr0.
Qed.

(* The transposed image and the transposed kernel give the transposed output. *)
Theorem conv2d_commutes_with_transposition flips rows cols x k n f i j :
  conv2d flips cols rows (fun n c i j => x n c j i) (fun f c a b => k f c b a) n f j i
  = conv2d flips rows cols x k n f i j.
Proof.
apply: eq_bigr => c _; rewrite exchange_big; apply: eq_bigr => a _; apply: eq_bigr => b _.
by rewrite /padded andbC.
Qed.

(* An image rolled by one row gives the output moved by one row, but for the first ... *)
Theorem conv2d_commutes_with_shifts flips (H h : nat) cols x k n f i j :
  (i < H - h)%N ->
  let rolled n c i j := if i is i'.+1 then x n c i' j else x n c H.-1 j in
  conv2d flips (valid H h) cols rolled k n f i.+1 j = conv2d flips (valid H h) cols x k n f i j.
Proof.
rewrite ltn_subRL => iH rolled.
apply: eq_bigr => c _; apply: eq_bigr => a _; apply: eq_bigr => b _; congr (_ * _).
have inside : ((place flips (valid H h) i a).+1 < H)%N.
  apply: leq_ltn_trans iH; rewrite /place /= !mul1n -addnS addnC leq_add2r.
  by case: flips => //; apply: ltn_ord (rev_ord a).
have -> : place flips (valid H h) i.+1 a = (place flips (valid H h) i a).+1.
  by rewrite /place /= !mul1n.
by rewrite /padded /= !subn0 add0n inside (ltnW inside).
Qed.

(* ... and so it is with columns. *)
Theorem conv2d_commutes_with_column_shifts flips rows (W w : nat) x k n f i j :
  (j < W - w)%N ->
  let rolled n c i j := if j is j'.+1 then x n c i j' else x n c i W.-1 in
  conv2d flips rows (valid W w) rolled k n f i j.+1 = conv2d flips rows (valid W w) x k n f i j.
Proof.
move=> jW rolled; rewrite -!(conv2d_commutes_with_transposition flips rows).
exact: (conv2d_commutes_with_shifts flips rows (fun n c i j => x n c j i)).
Qed.

End Theorems.
